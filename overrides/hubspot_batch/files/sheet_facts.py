"""Looks into the XML of a workbook's sheet for what python-calamine leaves out.

This module decides which cells are errors of formulas, which calamine gives as empty, and how many
rows are hidden. Workbooks of older kinds are not looked into.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, NamedTuple

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, RuntimeError, ValueError)
"""What a damaged or encrypted archive raises."""

_BLOCK = 1 << 20
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b([^>]*\st="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL
)
_PLACE = re.compile(rb'\sr="([A-Z]+)(\d+)"')
_HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^>]*\shidden="(?:1|true)"')


class SheetFacts(NamedTuple):
    """The facts of a sheet beside its values.

    Attributes:
        errors: The errors of a row: for its number, each column's number, counted from 0, and text.
        hidden: How many rows are hidden.
    """

    errors: dict[int, dict[int, str]]
    hidden: int


def read_facts(stream: BinaryIO, sheet: str) -> SheetFacts:
    """Return the facts of a sheet; none if the workbook is of another kind."""
    facts = SheetFacts({}, 0)
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(_path(archive, sheet)) as xml:
            for part in _parts(xml):
                facts = facts._replace(hidden=facts.hidden + len(_HIDDEN.findall(part)))
                _add_errors(facts.errors, part)
    except UNREADABLE:
        return SheetFacts({}, 0)  # its reader says why
    return facts


def _path(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of a sheet's XML within a workbook."""
    relations = {
        _attribute(one, "Id"): _attribute(one, "Target")
        for one in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for one in _SHEET.findall(archive.read("xl/workbook.xml")):
        if _attribute(one, "name") == sheet:
            target = relations[_attribute(one, r"\w+:id")]
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet)


def _attribute(tag: bytes, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag.decode())
    return html.unescape(found[1]) if found else ""


def _parts(xml: IO[bytes]) -> Iterator[bytes]:
    """Yield the XML in pieces that end with a row."""
    rest = b""
    while block := xml.read(_BLOCK):
        rest += block
        end = rest.rfind(b"</row>") + len(b"</row>")
        if end >= len(b"</row>"):
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _add_errors(errors: dict[int, dict[int, str]], part: bytes) -> None:
    if b't="e"' not in part:
        return
    for attributes, text in _ERROR.findall(part):
        if place := _PLACE.search(attributes):
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - ord("A") + 1
            errors.setdefault(int(place[2]), {})[column - 1] = html.unescape(text.decode())
