"""A description of an API, as published or as our bundle, read from a file.

Decides what can be read (OpenAPI 3 in JSON, in YAML, or in a block of a Markdown page), and which
of its operations corresponds to one of ours. A file that is cut off is an error.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from attrs import field, frozen
from generation import yaml_source
from generation.keywords import METHODS
from generation.yaml_source import Pointer, is_map

from .schema import Reader
from .schema_forms import SchemaError

# HubSpot's descriptions have a few megabytes. YAML needs a hundred times the time and memory.
_MOST_JSON, _MOST_YAML = 64 * 2**20, 16 * 2**20

MOST_OF_PAGE = 2 * 2**20
"""The largest page that is read, in bytes; HubSpot's pages have a few thousand."""

_VERSION = re.compile(r"v\d+|\d{4}-\d{2}(?:-[a-z]+)?")
_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<words>[^\n]*)$", re.MULTILINE)
_DESCRIBES = re.compile(r"^[ \t]*(?:\{[ \t]*)?\"?openapi\"?[ \t]*:", re.MULTILINE)
_IS_DESCRIPTION = re.compile(
    r"\s*(?:#[^\n]*\n\s*)*(?:\{\s*\"(?:openapi|swagger|info)\"|(?:openapi|swagger):)"
)
_OUR_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


class UnreadableError(Exception):
    """A file that cannot be used; the text says what was found, what is missing and what to do."""


@frozen(eq=False)
class DescribedOperation:
    """One operation of a description, as it is written there."""

    id: str
    path: str
    method: str
    item: Mapping[str, Any] = field(repr=False)  # the path item, with common parameters
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def at(self) -> Pointer:
        """The place in the document."""
        return ("paths", self.path, self.method)

    @property
    def title(self) -> str:
        """The method and the path."""
        return f"{self.method.upper()} {self.path}"

    @property
    def signature(self) -> tuple[str, ...]:
        """The path without the version, whose position differs between old and new paths."""
        return signature(self.path)

    @property
    def version(self) -> tuple[int, ...]:
        """The version in the path, for sorting; dates are newer than numbers."""
        found = [part for part in self.path.split("/") if _VERSION.fullmatch(part)]
        numbers = tuple(map(int, re.findall(r"\d+", found[0]))) if found else ()
        return (len(numbers), *numbers)


def signature(path: str) -> tuple[str, ...]:
    """Return the parts of a path without its version."""
    parts = path.strip("/").split("/")
    return tuple(part for part in parts if not _VERSION.fullmatch(part))


def is_same_path(one: Sequence[str], other: Sequence[str]) -> bool:
    """Compare the parts of two paths; a parameter such as `{objectType}` stands for any one part.

    The last part, such as `create`, and `batch` before it are always written out.
    """
    alike = (a == b or a[:1] == "{" or b[:1] == "{" for a, b in zip(one, other, strict=False))
    return len(one) == len(other) and one[-2:] == other[-2:] and all(alike)


@frozen(eq=False, slots=False)
class Description:
    """A document, and the name that messages call it by.

    `excerpt` is True for a part of what is published: an operation may be missing there.
    """

    document: Mapping[str, Any] = field(repr=False)
    name: str = "the description"
    excerpt: bool = False
    reader: Reader = field(init=False, repr=False)
    _broken: dict[tuple[str, ...], SchemaError] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "reader", Reader(self.document))
        object.__setattr__(self, "_broken", {})

    @cached_property
    def operations(self) -> list[DescribedOperation]:
        """All operations whose paths can be read."""
        return [*self._operations()]

    @property
    def ours(self) -> bool:
        """True for a bundle of ours, which has an id in snake_case for every operation."""
        return all(_OUR_ID.fullmatch(operation.id) for operation in self.operations)

    def _operations(self) -> Iterator[DescribedOperation]:
        paths: dict[str, Any] = self.document["paths"]
        for path, given in paths.items():
            try:
                item, _ = self.reader.follow(given, ("paths", path))
            except SchemaError as error:  # raised by `find` if the path is one of ours
                self._broken[signature(path)] = error
                continue
            for method in METHODS if is_map(item) else ():
                if is_map(raw := item.get(method)):
                    name = raw.get("operationId")
                    id_ = name if isinstance(name, str) else f"{method} {path}"
                    yield DescribedOperation(id_, path, method, item, raw)

    def find(self, wanted: DescribedOperation) -> DescribedOperation | None:
        """Return the same operation here: at the same path, or else at its newest version.

        Raises:
            SchemaError: The path is there, and cannot be read.
        """
        parts = wanted.signature
        alike = [one for one in self.operations if is_same_path(one.signature, parts)]
        if parts in self._broken:
            raise self._broken[parts]

        def rank(one: DescribedOperation) -> tuple[object, ...]:
            literal = one.signature == parts
            return one.path == wanted.path, literal, one.version, one.method == wanted.method

        return max(alike, key=rank, default=None)

    def find_readable(self, wanted: DescribedOperation) -> DescribedOperation | None:
        """Return the same operation here like `find`; None if its path cannot be read."""
        try:
            return self.find(wanted)
        except SchemaError:
            return None

    def other_paths(self, wanted: DescribedOperation) -> set[str]:
        """Return the paths with a parameter that stands for a part of an operation's path."""
        parts = wanted.signature
        alike = (one for one in self.operations if is_same_path(one.signature, parts))
        return {one.path for one in alike if one.signature != parts}

    def covers(self, wanted: DescribedOperation) -> bool:
        """Return True if its family is described here, so that a missing batch is removed."""
        *family, batch, _ = wanted.signature
        kin = (one.signature for one in self.operations)
        return (
            not self.excerpt
            and any(
                [*parts[: len(family)]] == family
                # A parameter stands for every family, so only its batches count.
                or (
                    parts[-2:-1] == (batch,)
                    and is_same_path((*parts[:-2], batch, ""), (*family, batch, ""))
                )
                for parts in kin
            )
        )

    def covers_page(self, wanted: DescribedOperation) -> bool:
        """Return True if a search or a list that is missing here is removed.

        Some descriptions of a family have only its batches, and say nothing of single records.
        """
        family = [part for part in wanted.signature if part != "search"]
        around = {len(family), len(family) + 1}  # the records, or one record
        return not self.excerpt and any(
            len(parts) in around and is_same_path([*parts[: len(family)]], family)
            for one in self.operations
            if "batch" not in (parts := one.signature) and parts != (*family, "search")
        )


def read(path: Path) -> Description:
    """Read a description from a file.

    Raises:
        UnreadableError: It is no description, or is cut off.
    """
    name = yaml_source.shown(path)
    text = text_of(path, name)
    if text.lstrip().startswith("{"):
        return from_json(text, name)
    if block := _block(text, name):
        return block
    if not _DESCRIBES.search(text):
        raise UnreadableError(
            f"{name}: this is no API description: there is no `openapi` at its top. "
            "Give the OpenAPI file that HubSpot publishes; a captured page goes with --page."
        )
    return from_yaml(text, name)


def read_page(text: str, name: str) -> Description | None:
    """Return the description in a fenced block of a Markdown page, if there is one.

    Raises:
        UnreadableError: It is cut off, or the text is a description itself.
    """
    if _IS_DESCRIPTION.match(text):
        raise UnreadableError(f"{name}: this is an API description, no page; give it as --spec.")
    return _block(text, name)


def text_of(path: Path, name: str, *, most: int = _MOST_JSON) -> str:
    """Return the text of a file of at most `most` bytes.

    Raises:
        UnreadableError: It is too large, or not text.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise UnreadableError(
            f"{name}: cannot be read ({error.strerror}); look at its path."
        ) from None
    if len(data) > most:
        raise UnreadableError(
            f"{name}: this has more than {most // 2**20} MiB, and no description or page has. "
            "Give the file of one product."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{name}: this is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from None
    if not text.strip():
        raise UnreadableError(f"{name}: the file is empty; fetch it again.")
    if "\0" in text:
        raise UnreadableError(f"{name}: this is not text; give a text file.")
    return text


def from_json(text: str, name: str) -> Description:
    """Read a description from JSON.

    Raises:
        UnreadableError: It cannot be parsed, or is no description.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(
            f"{name}:{error.lineno}: this is not JSON ({error.msg}); "
            "it may be cut off: fetch it again."
        ) from None
    return _checked(document, name)


def from_yaml(text: str, name: str, *, excerpt: bool = False, line: int = 0) -> Description:
    """Read a description from YAML; `line` is the line before it in a page.

    Raises:
        UnreadableError: It cannot be parsed, or is no description.
    """
    if len(text) > _MOST_YAML:
        most = _MOST_YAML // 2**20
        raise UnreadableError(f"{name}: YAML of more than {most} MiB is not read; give JSON.")
    document, problems = yaml_source.parse(text, name)
    if document is None or problems:
        first = problems[0]
        raise UnreadableError(f"{name}:{first.line + line}: {first.text}")
    return _checked(document.data, name, excerpt=excerpt)


def _checked(document: Any, name: str, *, excerpt: bool = False) -> Description:
    if not is_map(document) or "openapi" not in document:
        actual = (
            "Swagger 2.0" if is_map(document) and "swagger" in document else "no API description"
        )
        raise UnreadableError(
            f"{name}: this is {actual}: there is no `openapi` at its top. Give an OpenAPI 3 file."
        )
    version, paths = document["openapi"], document.get("paths")
    if not str(version).startswith("3."):
        raise UnreadableError(f"{name}: this is OpenAPI {version}; versions 3.x are read.")
    if not is_map(paths) or not paths:
        raise UnreadableError(f"{name}: it describes no paths; it may be cut off: fetch it again.")
    return Description(document, name, excerpt=excerpt or len(paths) == 1)


def _block(text: str, name: str) -> Description | None:
    """Return the description in a block of a page, which has the page's operation only."""
    for body, line, closed in blocks(text):
        if not _DESCRIBES.search(body):
            continue
        if not closed:
            raise UnreadableError(
                f"{name}:{line}: the block with the description has no end; "
                "the page is cut off: fetch it again."
            )
        if body.lstrip().startswith("{"):
            found = from_json(body, name)
            return Description(found.document, name, excerpt=True)
        return from_yaml(body, name, excerpt=True, line=line)
    return None


def blocks(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the fenced blocks of a Markdown text: content, first line, and if it is closed."""
    marks = iter(_FENCE.finditer(text))
    line, counted = 1, 0
    for mark in marks:
        fence = mark["fence"]
        end = next((one for one in marks if _closes(one, fence)), None)
        line, counted = line + text.count("\n", counted, mark.start()), mark.start()
        yield text[mark.end() : end.start() if end else None], line, end is not None


def _closes(mark: re.Match[str], fence: str) -> bool:
    return mark["fence"].startswith(fence) and not mark["words"].strip()
