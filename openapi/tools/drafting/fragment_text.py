"""A fragment as text: how new parts are written, and where they go in a file that exists.

Decides the style of the house: short lists on one line, long texts folded, a blank line between
schemas. What a file has already stays as it is, comments included.
"""

from collections.abc import Mapping
from typing import Any

import yaml
from generation.yaml_source import Document, Dumper, Pointer, parse

_WIDTH = 100
_LONGEST = 70  # a longer text is folded


class _FragmentDumper(Dumper):
    """Writes lists of plain values on one line, and folds long texts."""


def _list(dumper: Any, value: list[Any]) -> yaml.SequenceNode:
    plain = not any(isinstance(item, dict | list) for item in value)
    node: yaml.SequenceNode = dumper.represent_sequence(
        "tag:yaml.org,2002:seq", value, flow_style=plain
    )
    return node


def _text(dumper: Any, value: str) -> yaml.ScalarNode:
    style = ">" if len(value) > _LONGEST and " " in value and "\n" not in value else None
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)
    return node


_FragmentDumper.add_representer(list, _list)
_FragmentDumper.add_representer(str, _text)


def _block(data: Mapping[str, Any], indent: int) -> str:
    """Return a mapping as lines that stand `indent` spaces from the left."""
    text: str = yaml.dump(
        data,
        Dumper=_FragmentDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_WIDTH - indent,
    )
    start = " " * indent
    return "".join(f"{start}{line}" if line.strip() else line for line in text.splitlines(True))


def new_fragment(title: str, paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return the text of a new file."""
    return f"# {title}.\npaths:\n{_paths(paths)}\ncomponents:\n  schemas:\n{_schemas(schemas)}"


def extended(
    text: str, document: Document, paths: Mapping[str, Any], schemas: Mapping[str, Any]
) -> str:
    """Return the text of a fragment with more paths and schemas, each behind the others."""
    parts: list[tuple[Pointer, str]] = [(("paths",), _paths(paths))]
    parts += [(("components", "schemas"), _schemas(schemas))] if schemas else []
    for at, block in parts:
        text = _inserted(text, document, at, block)
        reread, _ = parse(text, document.file)
        assert reread is not None  # noqa: S101 - both parts were YAML
        document = reread
    return text


def with_tag(text: str, document: Document, tag: str, description: str) -> str:
    """Return the text of root.yaml with one more tag."""
    block = _block({"tags": [{"name": tag, "description": description}]}, 0)
    return _inserted(text, document, ("tags",), block.partition("\n")[2])


def _inserted(text: str, document: Document, at: Pointer, block: str) -> str:
    """Insert a block at the end of a mapping or list of a file, before blank lines and comments."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for depth in range(len(at)):
        if at[: depth + 1] not in document.lines:
            heads = [f"{'  ' * step}{at[step]}:\n" for step in range(depth, len(at))]
            at, block = at[:depth], "".join(heads) + block
            break
    end = len(lines)
    if at:
        start = document.line(at)
        depth = len(at)
        behind = [
            line
            for pointer, line in document.lines.items()
            if len(pointer) <= depth and line > start and pointer[:depth] != at
        ]
        end = min(behind, default=end + 1) - 1
        while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip()[0] == "#"):
            end -= 1
    gap = "" if at == ("tags",) else "\n"
    return "".join([*lines[:end], gap, block, *lines[end:]])


def _paths(paths: Mapping[str, Any]) -> str:
    return "\n".join(_block({path: item}, 2) for path, item in paths.items())


def _schemas(schemas: Mapping[str, Any]) -> str:
    return "\n".join(_block({name: schema}, 4) for name, schema in schemas.items())
