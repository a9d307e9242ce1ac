"""Deprecated names go on working, say what takes their place, and go in time."""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path

import pytest
from hubspot_batch import __version__
from hubspot_batch._deprecation import deprecated, warn_argument
from packaging.version import Version

PACKAGE = Path(__file__).parents[2] / "overrides" / "hubspot_batch"
MARKS = ("deprecated", "warn_argument")
SAYS = r"is deprecated since version 0\.2\.0 and goes in 0\.4\.0: use new\.$"
mark = deprecated(since="0.2.0", until="0.4.0", instead="new")


@mark
def old(number: int = 1) -> int:
    """Return a number."""
    return number


@mark
async def later(number: int) -> int:
    return number


@mark
class Old:
    """Holds a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    @mark
    def method(self) -> int:
        return self.number


def test_what_is_marked_works_as_before() -> None:
    """With its name, its signature and its docstring, and a warning at the caller's line."""
    with pytest.warns(DeprecationWarning, match=rf"^old {SAYS}") as caught:
        assert old(5) == 5
    assert caught[0].filename == __file__
    assert str(inspect.signature(old)) == "(number: 'int' = 1) -> 'int'"
    assert old.__name__ == "old"
    assert str(old.__doc__).startswith("Return a number.\n\nDeprecated: old is deprecated since")
    assert old.__deprecated__  # type: ignore[attr-defined]


def test_coroutines_classes_and_methods_can_be_marked() -> None:
    """A class stays a class, and a coroutine function one."""
    assert inspect.iscoroutinefunction(later)
    with pytest.warns(DeprecationWarning, match=rf"^later {SAYS}"):
        assert asyncio.run(later(5)) == 5
    with pytest.warns(DeprecationWarning, match=rf"^Old {SAYS}"):
        made = Old(5)
    assert isinstance(made, Old)
    with pytest.warns(DeprecationWarning, match=rf"^Old\.method {SAYS}"):
        assert made.method() == 5


def test_an_argument_warns_at_its_giver() -> None:
    """The level says how far up the call stands that gave it."""

    def public(given: int) -> None:
        warn_argument("given", since="0.2.0", until="0.4.0", instead="new")

    with pytest.warns(DeprecationWarning, match=rf"^The argument given {SAYS}") as caught:
        public(1)
    assert caught[0].filename == __file__


def found() -> list[tuple[str, dict[str, str]]]:
    """Where the package marks something, and with which versions."""
    return [
        (path.name, {one.arg or "": str(ast.literal_eval(one.value)) for one in node.keywords})
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "_deprecation.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in MARKS
        for node.keywords in [[one for one in node.keywords if one.arg != "level"]]
    ]


def test_deprecated_names_go_in_time() -> None:
    """In the version that was announced, and after at least one whole release."""
    assert found()
    for name, versions in found():
        since, until = Version(versions["since"]), Version(versions["until"])
        assert Version(Version(__version__).base_version) < until, f"{name}: remove it now"
        assert until.release[:2] >= (since.major, since.minor + 2) or until.major > since.major
