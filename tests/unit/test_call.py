"""The arguments beside the inputs, and what is sent for them."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from typing import Any

import httpx
import pytest
from attrs import evolve
from hubspot_batch import ConfigurationError
from hubspot_batch._operations import call, registry
from hubspot_batch._operations.call import OperationCall, operation_call
from hubspot_batch._operations.registry import OperationSpec, Parameters
from hubspot_batch_client.contract import Argument, Operation


def argument(form: str, **how: Any) -> Argument:
    return Argument(
        **{"name": "x", "keyword": "x", "place": "query", "required": False, "schema": {}, **how},
        form=form,
    )


@pytest.mark.parametrize(
    ("form", "given", "sent"),
    [
        ("text", "a", "a"),
        ("integer", 5, 5),
        ("number", 5, 5),
        ("number", 0.5, 0.5),
        ("boolean", False, False),
        ("texts", ("a", "b"), ["a", "b"]),
        ("texts", iter("ab"), ["a", "b"]),
        ("integers", {1}, [1]),
        ("numbers", [1, 0.5], [1, 0.5]),
        ("date", "31 January 2026", dt.date(2026, 1, 31)),
        ("date", dt.datetime(2026, 1, 31, 12), dt.date(2026, 1, 31)),
        ("date", dt.date(2026, 1, 31), dt.date(2026, 1, 31)),
        ("time", "2026-01-31T12:00:00Z", dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)),
        ("time", dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31)),
        ("json", {"a": [1]}, {"a": [1]}),
    ],
)
def test_what_is_meant_is_sent(form: str, given: object, sent: object) -> None:
    """In the type that the generated function takes."""
    assert call._value(argument(form), given) == sent


@pytest.mark.parametrize(
    ("form", "given"),
    [
        *(("text", 5), ("text", b"a"), ("integer", "5"), ("integer", True), ("integer", 0.5)),
        *(("number", "5"), ("number", False), ("boolean", 1), ("boolean", "true")),
        *(("texts", "ab"), ("texts", b"ab"), ("texts", 5), ("texts", [5])),
        *(("integers", [True]), ("integers", "5"), ("numbers", ["5"])),
        *(("date", "01/02/2026"), ("date", 5), ("time", "noon"), ("time", dt.date(2026, 1, 1))),
    ],
)
def test_what_cannot_be_meant_is_refused(form: str, given: object) -> None:
    """A sentence names the argument."""
    with pytest.raises(ConfigurationError, match=r"^x must be "):
        call._value(argument(form), given)


class Wide(OperationSpec):
    """An operation that takes more than any of the description's."""

    @property
    def described(self) -> Operation:
        known = (
            argument("texts", name="properties", keyword="properties", place="body"),
            argument("text", name="idProperty", keyword="id_property", place="body"),
            argument("json", name="more", keyword="more", place="body"),
            argument("date", name="since", keyword="since", place="body"),
            argument("boolean", name="isArchived", keyword="is_archived"),
        )
        return evolve(super().described, arguments=known)

    def operation(
        self, parameters: Parameters, *, isolate: bool, allow_implausible: bool = False
    ) -> Any:
        return self, parameters


WIDE = Wide("read_campaigns", input_key="id")


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "SPECS", {**call.SPECS, "wide": WIDE})
    monkeypatch.setattr(call, "spec_by_property", lambda _, name: evolve(WIDE, id_property=name))


def sent(**given: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The spec, the arguments of the generated function, and the body beside the inputs."""
    made: Any = operation_call("wide", None, **given)
    spec, parameters = pickle.loads(pickle.dumps(made)).operation
    body: dict[str, Any] = json.loads(b'{"inputs":[]' + parameters.tail)
    del body["inputs"]
    return spec, {**parameters.query}, body


def test_arguments_go_where_they_belong() -> None:
    """Into the address by their names in Python, and into the body by those of the API."""
    spec, query, body = sent(is_archived=False, more={"a": None}, since=dt.date(2026, 1, 31))
    assert spec is WIDE
    assert query == {"is_archived": False}
    assert body == {"more": {"a": None}, "since": "2026-01-31"}
    assert sent(is_archived=None, properties=None) == (WIDE, {}, {})


def test_a_property_that_ids_are_values_of_is_asked_for() -> None:
    """Else a result could not be matched; what is there by default stays so."""
    spec, _, body = sent(id_property="email", properties=("city",))
    assert body == {"idProperty": "email", "properties": ["city", "email"]}
    assert spec.id_property == "email"
    assert sent(id_property="email")[2] == {"idProperty": "email"}
    assert sent(id_property="no", properties=["no"])[2]["properties"] == ["no"]


@pytest.mark.parametrize("odd", [{1, 2}, float("inf")], ids=lambda odd: type(odd).__name__)
def test_what_no_json_holds_is_refused(odd: object) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="more cannot be written as JSON"):
        sent(more=odd)


def test_a_call_is_what_was_given() -> None:
    """Without other arguments, nothing is looked into."""
    assert operation_call("create_calls", 5) == OperationCall("create_calls", 5)
    assert operation_call("create_campaigns", None, isolate=True).isolate
    assert operation_call("create_calls", None, allow_implausible=True).allow_implausible


def test_the_spec_by_a_property_is_made_once() -> None:
    """The validators of the spec are compiled once."""
    first, again = (registry.spec_by_property("read_campaigns", "email") for _ in range(2))
    assert first is again
    assert (first.id_property, first.input_key) == ("email", "id")


JANUARY = {"start_date": "2026-01-01", "end_date": "2026-01-31"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"end_date": None}, "start_date must be given together with end_date"),
        ({"start_date": None}, "end_date must be given together with start_date"),
        (
            {"end_date": dt.date(2025, 12, 31)},
            "start_date must not be after end_date; got 2026-01-01",
        ),
        ({"end_date": 20260131}, "end_date must be a date, such as 2026-01-31; got 20260131"),
        ({"end_date": "01/02/2026"}, "end_date must be a date, such as .*could be several dates"),
    ],
)
def test_a_period_that_gives_nothing_is_refused(changes: dict[str, Any], words: str) -> None:
    """HubSpot answers it without metrics, and without a reason."""
    with pytest.raises(ConfigurationError, match=f"^{words}"):
        operation_call("read_campaigns", None, **{**JANUARY, **changes})


def test_a_period_of_a_day_is_one() -> None:
    """The first and the last day may be the same."""
    day = dict.fromkeys(JANUARY, "2026-01-31")
    assert {*operation_call("read_campaigns", None, **day).arguments} == {*JANUARY}
    operation_call("read_campaigns", None, **JANUARY)


@pytest.mark.parametrize("letter", ["a", "\u00e4", ","], ids=["letters", "umlauts", "commas"])
def test_properties_that_make_an_address_too_long_are_refused(letter: str) -> None:
    """As long as they are when they are encoded; HubSpot would answer 414 to each request."""
    width = len(str(httpx.QueryParams({"": letter}))) - 1
    names = [letter * 97] * (16_000 // (97 * width + 3) + 1)
    with pytest.raises(
        ConfigurationError, match=r"^properties must be shorter: .* 16000"
    ) as caught:
        operation_call("read_campaigns", None, properties=names)
    assert f"with {len(names)} of them" in str(caught.value)
    operation_call("read_campaigns", None, properties=names[:-2])
