"""Searches and lists: all pages, at the pace of searches, and never a short end without a word."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Any

import pytest
from attrs import evolve
from both_clients import ClientFactory
from hubspot_batch import ConfigurationError, MissingScopesError, UnfinishedError
from hubspot_batch._lookup import endpoints
from hubspot_batch._paging import query, reading
from hubspot_batch.sandbox import Sandbox, lookups, script
from hubspot_batch_client.contract import LISTINGS
from hubspot_batch_client.models import Call, Campaign, FilterGroup, SearchFilter

NOON = "2026-01-05T12:00:00Z"
FAILING = ["drop_results", "truncated_json", "503", "timeout_after", "extra_fields"]


def calls(sandbox: Sandbox, count: int, **more: str) -> list[str]:
    """The ids of some new calls, each with another title."""
    made = [
        sandbox.add_record(
            "calls", properties={"hs_timestamp": NOON, "hs_call_title": f"Call {n}", **more}
        )
        for n in range(count)
    ]
    sandbox.clock.advance(60.0)  # type: ignore[attr-defined]
    return made


def campaigns(sandbox: Sandbox, count: int) -> list[str]:
    """The ids of some new campaigns."""
    made = [sandbox.add_campaign(f"Campaign {n:03d}") for n in range(count)]
    sandbox.clock.advance(60.0)  # type: ignore[attr-defined]
    return made


def where(name: str, operator: str, value: Any) -> list[dict[str, Any]]:
    """One group with one filter."""
    return [{"filters": [{"propertyName": name, "operator": operator, "value": value}]}]


def test_a_search_hands_out_all_calls_by_their_ids(make_client: ClientFactory) -> None:
    """Page after page, as models, at most four searches in a second."""
    sandbox = Sandbox()
    made = calls(sandbox, 1_250)
    begun = sandbox.clock()
    found = [*make_client(transport=sandbox).calls.search(properties=["hs_call_title"])]
    assert [one.id for one in found] == made
    assert all(type(one) is Call for one in found)
    assert found[7].properties == {"hs_call_title": "Call 7"}
    assert len(sandbox.requests) == 7
    assert sandbox.clock() - begun >= 1.0


def test_a_list_hands_out_all_campaigns(make_client: ClientFactory) -> None:
    """With the properties that were asked for, in the order that was asked for."""
    sandbox = Sandbox()
    made = campaigns(sandbox, 230)
    hubspot = make_client(transport=sandbox)
    found = [*hubspot.campaigns.list(sort="-hs_name", properties=["hs_name"])]
    assert [one.id for one in found] == made[::-1]
    assert all(type(one) is Campaign for one in found)
    assert found[0].properties == {"hs_name": "Campaign 229"}
    assert [one.id for one in hubspot.campaigns.list(name="022")] == [made[22]]


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_they_are_asked_for_in_each_version(make_client: ClientFactory, version: str) -> None:
    """The path is that of the version."""
    sandbox = Sandbox()
    campaigns(sandbox, 1)
    hubspot = make_client(transport=sandbox, api_version=version)
    assert len([*hubspot.campaigns.list()]) == 1
    assert [*hubspot.calls.search()] == []
    assert all(f"/{version}" in one.path for one in sandbox.requests)
    assert [one.status for one in sandbox.requests] == [200, 200]


def test_pages_come_as_they_are_taken(make_client: ClientFactory) -> None:
    """A caller who takes three records pays for one page."""
    sandbox = Sandbox()
    made = calls(sandbox, 900)
    found = make_client(transport=sandbox).calls.search()
    assert [one.id for one in islice(found, 3)] == made[:3]
    assert len(sandbox.requests) == 1
    found.close()


def test_filters_are_mappings_or_models(make_client: ClientFactory) -> None:
    """Values are written as for inputs."""
    sandbox = Sandbox()
    made = calls(sandbox, 5, hs_call_duration="60000")
    calls(sandbox, 5, hs_call_duration="1000")
    hubspot = make_client(transport=sandbox)
    at = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    model = FilterGroup([SearchFilter("hs_call_duration", "EQ", value="60000")])
    for groups in (where("hs_call_duration", "EQ", 60000), [model], iter([model])):
        assert [one.id for one in hubspot.calls.search(filter_groups=groups)] == made
    assert len([*hubspot.calls.search(filter_groups=where("hs_timestamp", "GTE", at))]) == 10


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search shows 400 results, and not 10,000."""
    for module in (endpoints, reading):
        monkeypatch.setattr(module, "RESULTS_AT_MOST", 400)
    monkeypatch.setattr(lookups, "_HITS_AT_MOST", 400)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("groups", [None, where("hs_call_status", "EQ", "BUSY") * 2])
def test_a_search_goes_on_after_the_last_result_that_is_shown(
    make_client: ClientFactory, groups: Any
) -> None:
    """It goes on by the ids; each call comes once."""
    sandbox = Sandbox()
    calls(sandbox, 30, hs_call_status="QUEUED")
    made = calls(sandbox, 1_010, hs_call_status="BUSY")
    found = [one.id for one in make_client(transport=sandbox).calls.search(filter_groups=groups)]
    assert found[-1_010:] == made
    assert len(found) == (1_040 if groups is None else 1_010)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("count", [400, 401])
@pytest.mark.parametrize("way", ["sorts", "filters"])
def test_a_search_that_cannot_go_on_is_refused_at_once(
    make_client: ClientFactory, count: int, way: str
) -> None:
    """Before the first result, and not after the last one that is shown."""
    sandbox = Sandbox()
    calls(sandbox, count)
    given: dict[str, Any] = {"sorts": [{"propertyName": "hs_call_title"}]}
    if way == "filters":
        given = {
            "filter_groups": [
                {"filters": where("hs_timestamp", "GT", "2026-01-01")[0]["filters"] * 6}
            ]
        }
    found = make_client(transport=sandbox).calls.search(**given)
    if count == 400:
        assert len([*found]) == 400
        return
    with pytest.raises(ConfigurationError, match="finds 401 records, and HubSpot shows 400"):
        next(found)


@pytest.mark.parametrize("fault", FAILING)
def test_a_page_that_is_not_whole_is_asked_for_again(
    make_client: ClientFactory, fault: str
) -> None:
    """Once is no harm; where it stays so, the iterator raises and does not just end."""
    sandbox = Sandbox()
    made = {"calls.search": calls(sandbox, 450), "campaigns.list": campaigns(sandbox, 250)}
    hubspot = make_client(transport=sandbox)
    for name, ids in made.items():
        family, method = name.split(".")
        sandbox.use_faults(script([None, fault]))
        assert len([*getattr(getattr(hubspot, family), method)()]) == len(ids)
        sandbox.use_faults(script([None, *[fault] * 9]))
        found: list[Any] = []
        if fault == "extra_fields":
            assert len([*getattr(getattr(hubspot, family), method)()]) == len(ids)
            continue
        with pytest.raises(UnfinishedError, match=name):
            found.extend(getattr(getattr(hubspot, family), method)())
        assert len(found) < len(ids)


def test_calls_that_go_away_move_no_other_out_of_sight(make_client: ClientFactory) -> None:
    """A page counts places, so a call that is archived moves those after it to the page before."""
    sandbox = Sandbox()
    made = calls(sandbox, 600)
    hubspot = make_client(transport=sandbox)
    found = hubspot.calls.search()
    first = [one.id for one in islice(found, 200)]
    hubspot.calls.archive(made[:50]).raise_for_failures()
    assert [*first, *(one.id for one in found)] == made
    sorted_by_title = hubspot.calls.search(sorts=[{"propertyName": "hs_call_title"}])
    next(sorted_by_title)
    hubspot.calls.archive(made[50:60]).raise_for_failures()
    with pytest.raises(UnfinishedError, match="went away"):
        list(sorted_by_title)


def test_campaigns_that_go_away_are_told(make_client: ClientFactory) -> None:
    """A list has no way to go on that counts no places."""
    sandbox = Sandbox()
    made = campaigns(sandbox, 250)
    hubspot = make_client(transport=sandbox)
    found = hubspot.campaigns.list()
    next(found)
    hubspot.campaigns.archive(made[:10]).raise_for_failures()
    with pytest.raises(UnfinishedError, match="went away"):
        list(found)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"filter_groups": where("a", "EQ", "b") * 6}, "at most 5 groups of filters; got 6"),
        ({"filter_groups": [{"filters": where("a", "EQ", "b")[0]["filters"] * 7}]}, "at most 6"),
        (
            {"filter_groups": [{"filters": where("a", "EQ", "b")[0]["filters"] * 4}] * 5},
            "at most 18 filters; got 20",
        ),
        ({"sorts": [{"propertyName": "a"}, {"propertyName": "b"}]}, "at most 1 sorts; got 2"),
        ({"query": "a" * 3_000}, "and HubSpot accepts 3,000"),
        ({"filter_groups": where("a", "IS", "b")}, "operator is 'IS', but must be one of BETWEEN"),
        ({"filter_groups": [{"filter": []}]}, "filter"),
        ({"filter_groups": "hs_call_title=x"}, "filterGroups"),
        ({"properties": "hs_call_title"}, "properties must be a list of names"),
    ],
)
def test_a_search_that_cannot_be_is_not_sent(
    make_client: ClientFactory, given: dict[str, Any], words: str
) -> None:
    """The call itself raises, and not the first record."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox)
    with pytest.raises(ConfigurationError) as caught:
        hubspot.calls.search(**given)
    assert words in str(caught.value)
    assert sandbox.requests == ()


def test_what_hubspot_refuses_is_raised(make_client: ClientFactory) -> None:
    """With HubSpot's words; a missing scope as ever."""
    sandbox = Sandbox()
    hubspot = make_client(transport=sandbox)
    with pytest.raises(ConfigurationError, match="There is no property made_up") as caught:
        next(hubspot.calls.search(filter_groups=where("made_up", "EQ", "x")))
    assert caught.value.status_code == 400
    with pytest.raises(ConfigurationError, match="name is no sort order"):
        next(hubspot.campaigns.list(sort="name"))
    hubspot = make_client(transport=Sandbox(scopes=()))
    with pytest.raises(MissingScopesError):
        next(hubspot.calls.search())
    hubspot.close()
    with pytest.raises(ConfigurationError, match="closed"):
        hubspot.calls.search()


def test_a_search_is_named_as_its_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where `x-kind` makes a search of an operation with another verb."""
    found = evolve(LISTINGS["search_calls"], id="find_calls")
    monkeypatch.setattr("hubspot_batch._paging.query.LISTINGS", {"find_calls": found})
    assert query.query_of("find_calls", None, {}).name == "calls.find"
    with pytest.raises(ConfigurationError, match=r"^calls\.find is not valid"):
        query.query_of("find_calls", None, {"filter_groups": [{"filters": [{"operator": 1}]}]})
