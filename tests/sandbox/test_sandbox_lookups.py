"""The sandbox's search of calls and its list of campaigns."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hubspot_batch.sandbox import LATE, FakeClock, Sandbox, SandboxTransport, script

SEARCH = "/crm/v3/objects/calls/search"
LIST = "/marketing/v3/campaigns"


def client(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(
        transport=SandboxTransport(sandbox),
        base_url="https://api.hubapi.com",
        headers={"Authorization": "Bearer t"},
    )


def call(title: str, at: str = "2026-01-05T09:00:00Z") -> dict[str, Any]:
    return {"properties": {"hs_timestamp": at, "hs_call_title": title}, "associations": []}


def create(sandbox: Sandbox, *titles: str) -> httpx.Response:
    body = {"inputs": [call(title) for title in titles]}
    return client(sandbox).post("/crm/v3/objects/calls/batch/create", json=body)


def titles(response: httpx.Response) -> list[str]:
    return [one["properties"]["hs_call_title"] for one in response.json()["results"]]


def search(sandbox: Sandbox, *filters: dict[str, Any], **more: Any) -> httpx.Response:
    groups = [{"filters": [*filters]}] if filters else []
    body = {"filterGroups": groups, "properties": ["hs_call_title"], **more}
    return client(sandbox).post(SEARCH, json=body)


def test_records_are_found_late_and_in_any_order() -> None:
    """Each has a lag of its own, between the two that are set."""
    clock = FakeClock()
    sandbox = Sandbox(clock=clock, search_lag=(1.0, 100.0))
    create(sandbox, *map(str, range(50)))
    seen: list[int] = []
    for _ in range(11):
        seen.append(search(sandbox).json()["total"])
        clock.advance(10.0)
    assert seen[0] == 0 < seen[1] < 50
    assert seen == sorted(seen)
    assert seen[-1] == 50
    clock.advance(-90.0)
    found = {int(title) for title in titles(search(sandbox, limit=200))}
    assert found != {*range(len(found))}


def test_records_of_the_account_are_found_at_once() -> None:
    """A record that no request created was there before the sandbox began."""
    sandbox = Sandbox(clock=FakeClock(), search_lag=(1.0, 100.0))
    sandbox.add_record("calls", properties={"hs_call_title": "Old"})
    sandbox.add_campaign("Spring")
    create(sandbox, "New")
    assert titles(search(sandbox)) == ["Old"]
    assert len(client(sandbox).get(LIST).json()["results"]) == 1


def test_what_a_search_finds() -> None:
    """Filters, pages and an order, with the values as they are stored."""
    clock = FakeClock()
    sandbox = Sandbox(clock=clock, search_lag=(0.0, 0.0))
    create(sandbox, "A", "B")
    clock.advance(10.0)
    create(sandbox, "C")
    made = round(clock() * 1000)
    newest = [{"propertyName": "hs_createdate", "direction": "DESCENDING"}]
    page = search(sandbox, sorts=newest, limit=2).json()
    assert (page["total"], page["paging"]) == (3, {"next": {"after": "2"}})
    assert page["results"][0]["properties"]["hs_call_title"] == "C"
    rest = search(sandbox, sorts=newest, limit=2, after="2").json()
    assert (len(rest["results"]), "paging" in rest) == (1, False)
    window = {"propertyName": "hs_createdate", "operator": "BETWEEN"}
    window |= {"value": str(made - 1000), "highValue": str(made)}
    assert titles(search(sandbox, window)) == ["C"]
    clock.advance(1.0)
    listed = {"propertyName": "hs_call_title", "operator": "IN", "values": ["a", "C"]}
    assert titles(search(sandbox, listed)) == ["A"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "10000"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "x", "operator": "EQ", "value": "1"}]}]},
        {"query": "x" * 3000},
    ],
)
def test_what_a_search_refuses(body: dict[str, Any]) -> None:
    """Its limits are those of the page."""
    assert client(Sandbox()).post(SEARCH, json=body).status_code == 400


def test_searches_have_an_allowance_of_their_own() -> None:
    """Five a second, which is no part of the rolling window and stands in no header."""
    sandbox = Sandbox(rate_limit=(1, 10.0))
    answers = [search(sandbox) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert answers[5].json()["policyName"] == "SECONDLY"
    assert not any("ratelimit" in name for name in answers[0].headers)
    assert create(sandbox, "A").status_code == 201


def test_the_list_of_campaigns() -> None:
    """Names by their part, an order, opaque pages, and no properties unless they are named."""
    clock = FakeClock()
    sandbox = Sandbox(clock=clock, search_lag=(0.0, 0.0))
    for name in ("Spring", "Summer", "Fall"):
        sandbox.add_campaign(name)
        clock.advance(1.0)
    http = client(sandbox)
    page = http.get(LIST, params={"sort": "-createdAt", "limit": 2, "properties": "hs_name"}).json()
    assert [one["properties"] for one in page["results"]] == [
        {"hs_name": "Fall"},
        {"hs_name": "Summer"},
    ]
    after = page["paging"]["next"]["after"]
    assert not after.isdigit()
    assert len(http.get(LIST, params={"limit": 2, "after": after}).json()["results"]) == 1
    assert http.get(LIST, params={"name": "um"}).json()["results"][0]["properties"] == {}
    assert http.get(LIST, params={"properties": "nonsense"}).status_code == 400
    assert http.post(LIST).status_code == 405


def test_a_request_can_take_effect_late() -> None:
    """Its connection breaks at once, and its records appear within 100 seconds."""
    clock = FakeClock()
    sandbox = Sandbox(clock=clock, faults=script([LATE]))
    with pytest.raises(httpx.ReadError):
        create(sandbox, "A", "B")
    assert sandbox.records("calls") == ()
    clock.advance(101.0)
    records = sandbox.records("calls")
    assert [one.made_by for one in records] == [1, 1]
    assert clock() - 101.0 < records[0].created_at < clock()


def test_a_lookup_can_go_wrong() -> None:
    """Faults that are planned for it change its response."""
    sandbox = Sandbox(search_lag=(0.0, 0.0), faults=script(["502"], operation="search_calls"))
    assert create(sandbox, "A").status_code == 201
    assert [search(sandbox).status_code for _ in range(2)] == [502, 200]
    assert [one.operation for one in sandbox.requests][1:] == ["search_calls"] * 2
    assert json.loads(search(sandbox).content)["total"] == 1


PROPERTIES = "/crm/v3/properties/calls"
MADE = {"label": "Mark", "type": "string", "fieldType": "text", "groupName": "callsinformation"}


def test_a_property_that_a_request_has_made_is_listed_as_it_is_shown() -> None:
    """With whether its values are unique, next to options and read-only values."""
    sandbox = Sandbox()
    sandbox.add_property("calls", "mood", ("good", "bad"))
    one = client(sandbox)
    made = one.post(PROPERTIES, json={**MADE, "name": "mark", "hasUniqueValue": True})
    assert made.status_code == 201
    listed = {found["name"]: found for found in one.get(PROPERTIES).json()["results"]}
    assert listed["mark"] == made.json()
    assert [name for name, found in listed.items() if found["hasUniqueValue"]] == [
        *("hs_unique_creation_key", "mark")
    ]
    for name in ("mark", "mood", "hs_createdate"):
        assert one.get(f"{PROPERTIES}/{name}").json() == listed[name]
    assert [option["value"] for option in listed["mood"]["options"]] == ["good", "bad"]
    assert listed["hs_createdate"]["modificationMetadata"]["readOnlyValue"]
    assert one.get("/crm/properties/2026-03/calls").json()["results"] == [*listed.values()]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{PROPERTIES}/mood", 404),
        ("GET", "/crm/v3/properties/wishes", 404),
        ("PUT", PROPERTIES, 405),
        ("POST", f"{PROPERTIES}/mood", 405),
    ],
)
def test_what_cannot_be_asked_of_properties(method: str, path: str, status: int) -> None:
    """A property or a family that is not there, and methods that the sandbox has not."""
    assert client(Sandbox()).request(method, path, json={}).status_code == status


@pytest.mark.parametrize("name", ["hs_call_title", "hs_createdate"])
def test_a_property_is_made_once(name: str) -> None:
    """Also one that only HubSpot writes."""
    assert client(Sandbox()).post(PROPERTIES, json={**MADE, "name": name}).status_code == 409


def test_faults_meet_all_requests_about_properties() -> None:
    """A list, too."""
    sandbox = Sandbox(faults=script(["503", "503"], operation="properties"))
    one = client(sandbox)
    asked = [one.get(path).status_code for path in (PROPERTIES, f"{PROPERTIES}/hs_call_title")]
    assert asked == [503, 503]
    assert {entry.operation for entry in sandbox.requests} == {"properties"}
