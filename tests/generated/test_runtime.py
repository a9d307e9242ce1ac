"""The handwritten modules of the generated package: how they look, and what others share of them.

What they do is tested where the generated client is: `test_generated_*.py`, `test_two_ways.py`.
"""

from __future__ import annotations

import ast
import copy
import datetime as dt
from pathlib import Path

import httpx
import pytest
from hubspot_batch import _json as documents
from hubspot_batch._operations import dates
from hubspot_batch_client import _dates, _json, types
from hubspot_batch_client._model import Model
from hubspot_batch_client.client import address
from hubspot_batch_client.models import NextPage

RUNTIME = Path(__file__).parents[2] / "openapi" / "runtime"
MODULES = sorted(RUNTIME.glob("*.py"))
LONGEST = 320


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_and_described(path: Path) -> None:
    """It can be read at once, and it and its public parts have docstrings."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_only_modules_are_copied() -> None:
    """Nothing else in the folder would be."""
    found = {path.name for path in RUNTIME.iterdir() if path.name != "__pycache__"}
    assert found == {path.name for path in MODULES}


NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def test_a_text_has_all_its_meanings() -> None:
    """One for each order of day and month that makes a difference."""
    text = "02/03/2026 12:00"
    assert _dates.meanings(text, dayfirst=[True], zone=dt.UTC) == {NOON}
    both = _dates.meanings(text, dayfirst=[False, True], zone=dt.UTC)
    assert both == {NOON, NOON.replace(month=2, day=3)}
    zoneless = _dates.meanings(text, dayfirst=[True])
    assert zoneless == {NOON.replace(tzinfo=None)}
    assert _dates.meanings("2 March 2026 13:00 +01:00", dayfirst=[False, True]) == {NOON}
    years = _dates.meanings("01-02-03", dayfirst=[False], yearfirst=[False, True])
    assert {read.year for read in years} == {2001, 2003}


@pytest.mark.parametrize("text", ["March 2026", "12:00", "Monday"])
def test_what_lacks_a_part_has_two_meanings(text: str) -> None:
    """The part comes from a default, and there are two."""
    assert len(_dates.meanings(text, dayfirst=[False])) == 2


@pytest.mark.parametrize("text", ["", "soon", "2 March 2026 12:00 EST", "1" * 500, "1e999", "\x00"])
def test_what_is_no_date_has_no_meaning(text: str) -> None:
    """Also where dateutil raises something odd, and where a zone has several meanings."""
    assert _dates.meanings(text, dayfirst=[False, True]) == set()


def test_readers_of_dates_differ_where_they_should() -> None:
    """A person's date may lack a zone and is UTC; a timestamp of the API keeps its spelling."""
    text = "2 March 2026 12:00"
    assert dates.read_datetime(text) == NOON
    stamp = types.as_datetime(text)
    assert (stamp, stamp.tzinfo) == (NOON.replace(tzinfo=None), None)
    assert types.to_json(stamp) == text
    assert types.as_datetime("02/03/2026") == "02/03/2026"
    with pytest.raises(ValueError, match="could be several dates"):
        dates.read_datetime("02/03/2026")


def test_json_is_read_in_one_place() -> None:
    """Also what msgspec refuses and Python reads; what neither reads raises."""
    assert documents.read is _json.read
    assert _json.read(b'[1e999, "\\ud800", 123456789012345678901234567890]') == [
        float("inf"),
        "\ud800",
        123456789012345678901234567890,
    ]
    with pytest.raises(ValueError, match="Expecting value"):
        _json.read(b"<html>")
    with pytest.raises(RecursionError):
        _json.read(b"[" * 100_000)


def test_a_model_without_fields_leaves_them_to_its_subclass() -> None:
    """The part that the template writes for each model has no general form."""
    with pytest.raises(NotImplementedError):
        Model().to_dict()
    with pytest.raises(NotImplementedError):
        types.form_of(Model)
    with pytest.raises(NotImplementedError):
        types.take_one(Model, None)


def test_the_values_of_a_map_are_decoded() -> None:
    """Only of a JSON object; no model of today has such a map."""
    assert types.as_map(types.as_date, {"a": "2026-03-02", "b": 1}) == {"a": NOON.date(), "b": 1}
    assert types.as_map(types.as_date, ["2026-03-02"]) == ["2026-03-02"]


def test_the_items_of_a_list_are_decoded() -> None:
    """Only of a list; no model of today has one of values that are decoded and no models."""
    assert types.as_list(types.as_date, ["2026-03-02", 1]) == [NOON.date(), 1]
    assert types.as_list(types.as_date, "2026-03-02") == "2026-03-02"


def test_unset_is_empty_and_one() -> None:
    """Code that reads a list needs no case for an absent one, and a copy is still UNSET."""
    assert [*types.UNSET] == []
    assert len(types.UNSET) == 0
    assert copy.copy(types.UNSET) is types.UNSET


def test_additional_properties_can_be_replaced() -> None:
    """They are written with the others."""
    page = NextPage(after="1")
    page.additional_properties = {"more": True}
    assert page.to_dict() == {"after": "1", "more": True}


def test_the_address_of_a_client_without_one_is_the_path() -> None:
    """httpx then says that the address has no protocol, which is true."""
    assert address(httpx.URL(""), "/a") == httpx.URL("/a")
    assert address(httpx.URL("https://api.example/base/"), "/a") == "https://api.example/base/a"
