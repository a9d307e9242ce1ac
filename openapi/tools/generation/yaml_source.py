"""YAML files, read with a line number for every node, and written in a plain style.

Decides what counts as readable YAML: UTF-8, one document, a mapping, unique string keys, the types
of JSON. The other packages of tools use its types and its small helpers too.
"""

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import yaml
from attrs import field, frozen

Pointer: TypeAlias = tuple[str | int, ...]

if TYPE_CHECKING:
    from yaml import SafeLoader as _BaseLoader
else:
    try:
        from yaml import CSafeLoader as _BaseLoader
    except ImportError:  # pragma: no cover - PyYAML without libyaml is slower, with the same result
        from yaml import SafeLoader as _BaseLoader

_DEPTH = 100  # no description comes near, and recursion over one can rely on it
_MOST_NODES = 500_000  # a description of 5 MB has a third; nested aliases can make any number
_TOO_LARGE = "written out, this is too large; use fewer aliases, or a smaller file."
_TAG = "tag:yaml.org,2002:"


@frozen(order=True)
class SourceProblem:
    """A problem in a file: its place, and a sentence that says what is wrong and what to do."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class SourceError(Exception):
    """Files that cannot be used, with all problems that were found."""

    def __init__(self, problems: list[SourceProblem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


@frozen
class Document:
    """A YAML mapping, with the line of each node."""

    file: str
    data: dict[str, Any]
    lines: Mapping[Pointer, int] = field(repr=False)

    def line(self, pointer: Pointer) -> int:
        """Return the line of a node, or of the nearest node around it."""
        while pointer not in self.lines:
            pointer = pointer[:-1]
        return self.lines[pointer]

    def at(self, pointer: Pointer) -> Any:
        """Return the part at `pointer`, which must exist."""
        value: Any = self.data
        for key in pointer:
            value = value[key]
        return value

    def problem(self, pointer: Pointer, text: str) -> SourceProblem:
        """Return a problem with the node at `pointer`."""
        return SourceProblem(self.file, self.line(pointer), text)


def shown(path: Path) -> str:
    """Return a path for messages: relative if it is below the current folder, else absolute."""
    path = path.absolute()
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    """Return True if a part of a document is a mapping, whose keys are strings."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return True if a part of a document is a list."""
    return isinstance(value, list)


class _Loader(_BaseLoader):
    """Reads the types of YAML 1.2: `no` and 2026-01-01 are text.

    The generator reads the bundle with a YAML 1.2 parser too.
    """


_PLAIN_TYPES = [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
]


def _add_types(reader_or_writer: Any) -> None:
    for name, pattern, first in _PLAIN_TYPES:
        reader_or_writer.add_implicit_resolver(_TAG + name, re.compile(rf"(?:{pattern})\Z"), first)


_Loader.yaml_implicit_resolvers = {}  # remove the types of YAML 1.1
_add_types(_Loader)


def read(path: Path) -> tuple[Document | None, list[SourceProblem]]:
    """Read one YAML mapping; return it and all of its problems.

    The document is None if nothing could be read. A document with problems may be incomplete.
    """
    file = shown(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        return None, [
            SourceProblem(file, 1, f"cannot read this file ({reason}); fix or restore it.")
        ]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [SourceProblem(file, line, "this is not UTF-8; save the file as UTF-8.")]
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Document | None, list[SourceProblem]]:
    """Read one YAML mapping from a text; `file` is its name in problems."""
    try:
        if (deep := _too_deep(text, file)) is not None:
            return None, [SourceProblem(file, deep, "this is nested too deeply; write it flatter.")]
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            return None, [SourceProblem(file, 1, "the file is empty; fill it or delete it.")]
        builder = _Builder(file)
        data = builder.value(node, ())
    except yaml.YAMLError as error:
        return None, [_broken(file, text, error)]
    except _TooLargeError as error:
        return None, [error.problem]
    if not is_map(data):
        text = "the top level is not a mapping; write `key: value` lines."
        return None, [*builder.problems, builder.at(node, text)]
    if not data:
        return None, [*builder.problems, builder.at(node, "the mapping is empty; fill it.")]
    return Document(file, data, builder.lines), builder.problems


def _too_deep(text: str, file: str) -> int | None:
    """Return the line on which the nesting becomes too deep; composing it could crash Python.

    Raises _TooLargeError for too many nodes, because composing those takes gigabytes.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if count > 3 * _MOST_NODES:  # a node has one or two events, and perhaps a key
            mark: Any = event.start_mark
            raise _TooLargeError(SourceProblem(file, int(mark.line) + 1, _TOO_LARGE))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                mark = event.start_mark
                return int(mark.line) + 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _broken(file: str, text: str, error: yaml.YAMLError) -> SourceProblem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        what = getattr(error, "problem", None) or getattr(error, "context", None)
        return SourceProblem(file, mark.line + 1, f"this is not YAML ({what}); fix it here.")
    position = getattr(error, "position", 0)  # the position of a character that YAML forbids
    line = text.count("\n", 0, position) + 1
    return SourceProblem(file, line, "a control character stands here; delete it.")


class _TooLargeError(Exception):
    """A file that has more nodes than any description, written out or by aliases."""

    def __init__(self, problem: SourceProblem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class _Builder:
    """Converts composed nodes to plain data, and collects lines and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Pointer, int] = {}
        self.problems: list[SourceProblem] = []
        self._above: set[int] = set()
        self._made = 0

    def at(self, node: Any, text: str) -> SourceProblem:
        return SourceProblem(self.file, node.start_mark.line + 1, text)

    def value(self, node: Any, pointer: Pointer) -> Any:
        self._made += 1
        if self._made > _MOST_NODES:
            raise _TooLargeError(self.at(node, _TOO_LARGE))
        self.lines.setdefault(pointer, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._above:
            text = "this alias stands for something around itself; write it out."
            self.problems.append(self.at(node, text))
            return None
        self._above.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
                return [self.value(item, (*pointer, i)) for i, item in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
                return self._mapping(node, pointer)
        finally:
            self._above.discard(id(node))
        return self._unknown(node)

    def _mapping(self, node: Any, pointer: Pointer) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(self.at(key_node, "a key is not plain text; write a name."))
                continue
            key = str(key_node.value)  # as it is written: 201 is a key like 2XX
            if key == "<<" and not key_node.style:
                text = "merge keys are not read here; write the keys out, or use a $ref."
                self.problems.append(self.at(key_node, text))
                continue
            inner = (*pointer, key)
            if key in result:
                text = f"`{key}` stands twice, first on line {self.lines[inner]}; keep one."
                self.problems.append(self.at(key_node, text))
                continue
            self.lines[inner] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, inner)
        return result

    def _scalar(self, node: Any) -> Any:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        try:
            if kind == "int":
                base = {"0o": 8, "0x": 16}.get(text[:2], 10)
                return int(text, base)
            if kind == "float" and math.isfinite(number := float(text)):
                return number
        except ValueError:
            pass
        return self._unknown(node)

    def _unknown(self, node: Any) -> None:
        kind = node.tag.removeprefix(_TAG)
        text = f"a value of the kind `{kind}` is not JSON; quote it, or write another."
        self.problems.append(self.at(node, text))


class Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.1 or YAML 1.2 could read as another type."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write every value out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their key."""
        super().increase_indent(flow, False)


_add_types(Dumper)  # in addition to YAML 1.1: 1e5 is a number only in YAML 1.2


_RARE_BREAKS = ("\x85", "\u2028", "\u2029")


def _text(dumper: Any, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value.strip("\n") else None
    if any(mark in value for mark in _RARE_BREAKS):
        style = '"'  # other styles would double these characters
    node: yaml.ScalarNode = dumper.represent_scalar(_TAG + "str", value, style=style)
    return node


Dumper.add_representer(str, _text)


def dump(data: Mapping[str, Any]) -> str:
    """Return plain data as block YAML: keys in order, no aliases, no folded lines.

    It uses the pure Python emitter, because libyaml breaks lines differently.
    """
    text: str = yaml.dump(
        data,
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=sys.maxsize,
    )
    return text
