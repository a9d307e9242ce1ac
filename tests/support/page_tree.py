"""A page of ours as a tree, for tests of what it says.

This module reads pages whose tags are all closed, and refuses others.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from attrs import field, mutable

VOID = {"meta", "input", "wbr", "br", "img", "link"}


@mutable
class Element:
    """A part of a page, as a parser sees it."""

    tag: str
    attributes: dict[str, str | None]
    content: list[Element | str] = field(factory=list)

    def __iter__(self) -> Iterator[Element]:
        for part in self.content:
            if isinstance(part, Element):
                yield part
                yield from part

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.content)

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return (self.attributes.get("class") or "").split()

    def all(self, name: str) -> list[Element]:
        """The parts with this tag or `.class`."""
        return [one for one in self if name in (one.tag, *(f".{each}" for each in one.classes))]

    def texts(self, name: str) -> list[str]:
        """The texts of the parts with this tag or `.class`."""
        return [one.text for one in self.all(name)]


class Parser(HTMLParser):
    """Makes a tree of a page whose tags are all closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs))
        self.open[-1].content.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)


def parsed(page: str) -> Element:
    """The page as a tree."""
    parser = Parser()
    parser.feed(page)
    parser.close()
    assert len(parser.open) == 1, "a tag was left open"
    return parser.open[0]
