"""Decides what a file is, by its name and by its first bytes.

It never takes a file for something that it is not: a workbook that is named .csv is said to be one.
"""

from __future__ import annotations

from .errors import EmptyTableError, FileError
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
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}
_MAGIC = (
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0", "xlsx"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"%PDF", "pdf"),
)
_CALLED = {
    "xlsx": "an Excel workbook",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
    "pdf": "a PDF document",
    "html": "an HTML or XML page",
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
    content = _content(start)
    if content == "empty":
        raise EmptyTableError("it is empty.", path=name)
    if content in ("html", "pdf"):
        raise FileError(
            f"it is {_CALLED[content]}, and no table. Export it again as CSV or as .xlsx.",
            path=name,
        )
    if content in ("xlsx", "parquet", "arrow"):
        if wanted not in (None, content):
            raise FileError(
                f"it is {_CALLED[content]} (or another archive), and not {wanted}. "
                f"Rename it to end in .{content}, or add --format {content}.",
                path=name,
            )
        if source.gzip:
            raise FileError(f"{_CALLED[content]} must not be compressed by gzip.", path=name)
        return content
    if wanted in ("xlsx", "parquet"):
        raise FileError(f"it is not {_CALLED[wanted]}.", path=name)
    if content in ("json", "jsonl") and wanted in ("csv", "tsv"):
        raise FileError(f"it is JSON, and not {wanted}. Add --format {content}.", path=name)
    if wanted in ("json", "jsonl") and content in ("json", "jsonl"):
        return content
    return wanted or content or "csv"


def _content(start: bytes) -> str:
    """Return the format that the first bytes show: '' if unclear, 'empty' if there is nothing."""
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    text = start.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if not text:
        return "empty"
    if text[:1] == b"<":
        return "html"
    # JSON shows itself by its first two characters; a heading may begin with one of them.
    letters = b"".join(text.replace(b"\0", b"").split())[:2]
    if letters[1:] in (b'"', b"{", b"[", b"]", b"}"):
        return {b"[": "json", b"{": "jsonl"}.get(letters[:1], "")
    return ""
