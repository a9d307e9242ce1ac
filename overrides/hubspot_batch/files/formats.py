"""Decides what a file is, by its name and by its first bytes.

It never takes a file for something that it is not: a workbook that is named .csv is said to be one.
"""

from __future__ import annotations

import zipfile

from .errors import EmptyTableError, FileError
from .sheet_facts import UNREADABLE
from .sources import Source

FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
"""The first bytes of an Excel workbook of before 2007, and of one with a password."""

_MAGIC = (
    (b"PK\x03\x04", "xlsx"),
    (OLD_WORKBOOK, "xlsx"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),  # a stream
)
_PACKED = (
    (b"\x1f\x8b", "it is compressed twice by gzip. Uncompress it once"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by Zstandard. Uncompress it first"),
    (b"BZh91AY&SY", "it is compressed by bzip2. Uncompress it first"),
    (b"\xfd7zXZ\0", "it is compressed by xz. Uncompress it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive. Unpack it first"),
    (b"Rar!\x1a\x07", "it is a RAR archive. Unpack it first"),
)
_NO_TABLES = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF89a", "an image"),
    (b"SQLite format 3\0", "a SQLite database"),
)
_CALLED = {
    "xlsx": "an Excel workbook (or another archive)",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
    "json": "JSON",
    "jsonl": "JSON",
}


def find_format(source: Source, said: str | None) -> str:
    """Return the format of a file, one of `FORMATS`.

    Args:
        source: The file.
        said: The format that the caller has named, or None.

    Raises:
        FileError: It is empty, or something else than it is said to be.
    """
    name = source.name
    suffixes = [suffix for suffix in source.suffixes if suffix != ".gz"]
    wanted = said or _SUFFIXES.get(suffixes[-1] if suffixes else "")
    with source.open() as stream:
        start = stream.read(4096)
    _refuse_others(name, start)
    content = _content(start)
    if content == "empty":
        raise EmptyTableError("it is empty.", path=name)
    if content == "xlsx":
        _refuse_archive(source)
    if content in ("xlsx", "parquet", "arrow"):
        if wanted not in (None, content):
            if start.startswith(OLD_WORKBOOK):
                raise FileError(
                    f"it is an Excel workbook of the old kind, and not {wanted}. "
                    "Save it as .xlsx in Excel.",
                    path=name,
                )
            raise FileError(
                f"it is {_CALLED[content]}, and not {wanted}. "
                f"Rename it to end in .{content}, or add --format {content}.",
                path=name,
            )
        if source.gzip:
            raise FileError(f"it is {_CALLED[content]} in gzip. Uncompress it first.", path=name)
        return content
    if wanted in ("xlsx", "parquet"):
        called = _CALLED[wanted].partition(" (")[0]
        raise FileError(f"it is not {called}.", path=name)
    if content in ("json", "jsonl") and wanted in ("csv", "tsv"):
        raise FileError(f"it is JSON, and not {wanted}. Add --format {content}.", path=name)
    if wanted in ("json", "jsonl") and content in ("json", "jsonl"):
        return content
    return wanted or content or "csv"


def _refuse_others(name: str, start: bytes) -> None:
    """Refuse what is compressed in another way, or is no table in any way."""
    for magic, sentence in _PACKED:
        if start.startswith(magic):
            raise FileError(f"{sentence}.", path=name)
    kind = next((kind for magic, kind in _NO_TABLES if start.startswith(magic)), "")
    if not kind and _text(start)[:1] == b"<":
        kind = "an HTML or XML page"
    if kind:
        sentence = f"it is {kind}, and no table. Export it again as CSV or as .xlsx."
        raise FileError(sentence, path=name)


def _refuse_archive(source: Source) -> None:
    """Refuse a ZIP archive that is no workbook."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except UNREADABLE:
        return  # a workbook that is damaged, or of the old kind; its reader says why
    if not any(one.startswith("xl/") or one == "content.xml" for one in names):
        held = ", ".join(names[:3]) or "nothing"
        raise FileError(
            f"it is a ZIP archive that holds {held}. Unpack it first.", path=source.name
        )


def _text(start: bytes) -> bytes:
    return start.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")


def _content(start: bytes) -> str:
    """Return the format that the first bytes show: '' if unclear, 'empty' if there is nothing."""
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    text = _text(start)
    if not text:
        return "empty"
    # JSON shows itself by its first two characters; a heading may begin with one of them.
    letters = b"".join(text.replace(b"\0", b"").split())[:2]
    if letters[1:] in (b'"', b"{", b"[", b"]", b"}"):
        return {b"[": "json", b"{": "jsonl"}.get(letters[:1], "")
    return ""
