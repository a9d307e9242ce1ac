"""Contacts in a copy of the project that has their fragment, and no line of Python.

`tests/tools/test_one_edit.py` makes that copy, and runs these with what was generated there.
"""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import ConfigurationError, MissingScopesError, OutcomeStatus
from hubspot_batch.sandbox import Sandbox, SandboxTransport, rates, script
from hubspot_batch_client import Client
from hubspot_batch_client.api.contacts import read_contacts, upsert_contacts
from hubspot_batch_client.models import (
    Contact,
    ContactBatch,
    ContactInput,
    ContactReadBatchInput,
    ContactReadInput,
    ContactUpdate,
    ContactUpsert,
    ContactUpsertBatchInput,
    UpsertedContact,
)

SUCCEEDED, FAILED, UNKNOWN = OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN


def upsert(email: str, /, **properties: str) -> dict[str, Any]:
    return {"id": email, "idProperty": "email", "properties": properties}


def statuses(result: Any) -> list[OutcomeStatus]:
    return [outcome.status for outcome in result.outcomes]


def emails(sandbox: Sandbox) -> list[str]:
    """The emails of all contacts, as the server keeps them."""
    found = (record.properties.get("email") or "" for record in sandbox.records("contacts"))
    return sorted(email.lower() for email in found)


@pytest.fixture(params=[0.0, 0.5, 1.0], ids=lambda echo: f"echo {echo}")
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox that repeats trace ids never, at times or always; it holds Ada and Bob."""
    made = Sandbox(trace_echo=request.param, rate_limit=None)
    with httpx.Client(transport=SandboxTransport(made), base_url="https://x") as http:
        inputs = [
            {"properties": {"email": email, "no": no}, "associations": []}
            for email, no in (("Ada@example.com", "1"), ("bob@example.com", "2"))
        ]
        http.post(
            "/crm/v3/objects/contacts/batch/create",
            json={"inputs": inputs},
            headers={"Authorization": "Bearer t"},
        ).raise_for_status()
    return made


def test_contacts_are_created(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """Each is its own, and a bad one fails alone, since every input has a trace id."""
    rows: list[Any] = [{"properties": {"email": f"C{n}@Example.com"}} for n in range(150)]
    rows[3] = ContactInput({"email": "typed@example.com"})
    rows[7] = {"properties": {"email": "no address"}}
    rows[9] = {"property": {}}
    contacts = make_client(transport=sandbox).contacts
    result = contacts.create(rows)
    assert [o.index for o in result.failed] == [7, 9]
    assert [o.error.kind for o in result.failed] == ["refused", "invalid_input"]
    assert len(result.succeeded) == 148
    for outcome in result.succeeded:
        if outcome.result is not None:
            sent = outcome.input if isinstance(outcome.input, dict) else outcome.input.to_dict()
            assert outcome.result.properties["email"] == sent["properties"]["email"].lower()
    assert all(isinstance(outcome.result, Contact | None) for outcome in result.outcomes)
    assert len(sandbox.records("contacts")) == 150
    assert sorted(entry.inputs for entry in sandbox.requests[1:]) == [49, 100]


def test_contacts_are_read_by_id(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """The properties that are asked for are in the body, and come back."""
    ada, bob = (record.id for record in sandbox.records("contacts"))
    contacts = make_client(transport=sandbox).contacts
    result = contacts.read([bob, ada, "9", bob], properties=("no",))
    assert statuses(result) == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED]
    assert [o.result.properties for o in result.succeeded] == [
        {"no": "2"},
        {"no": "1"},
        {"no": "2"},
    ]
    assert len(contacts.read([ada]).outcomes[0].result.properties) > 2
    assert [o.index for o in contacts.read_iter([ContactReadInput(ada), {"id": bob}])]


def test_contacts_are_read_by_email(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """The case does not matter, and the property need not be asked for."""
    asked = ["BOB@example.com", "ada@example.com", "nobody@example.com", "bob@example.com"]
    contacts = make_client(transport=sandbox).contacts
    result = contacts.read(asked, id_property="email", properties=["no"])
    assert statuses(result) == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED]
    assert [o.result.properties["no"] for o in result.succeeded] == ["2", "1", "2"]
    assert result.failed[0].error.category == "OBJECT_NOT_FOUND"
    assert result.unmatched == ()
    by_number = contacts.read(["2", "3", "1"], id_property="no", properties=[])
    assert statuses(by_number) == [SUCCEEDED, FAILED, SUCCEEDED]


def test_a_result_without_that_property_is_nobody_s(make_client: ClientFactory) -> None:
    """An answer need not hold it; then nothing says whose a result is."""

    def answer(_: httpx.Request) -> httpx.Response:
        contact = {"id": "77", "properties": {"no": "1"}, "archived": False}
        return httpx.Response(200, json={"status": "COMPLETE", "results": [contact]})

    result = make_client(transport=httpx.MockTransport(answer)).contacts.read(
        ["ada@example.com"], id_property="email"
    )
    assert statuses(result) == [FAILED]
    assert [contact.id for contact in result.unmatched] == ["77"]


def test_contacts_are_updated(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """By id and by a property, in one run; two for one contact go one after the other."""
    ada, bob = (record.id for record in sandbox.records("contacts"))
    rows: list[Any] = [
        {"id": ada, "properties": {"city": "Rome"}},
        {"id": "BOB@example.com", "idProperty": "email", "properties": {"city": "Oslo"}},
        ContactUpdate("2", {"city": "Bern"}, id_property="no"),
        {"id": "nobody@example.com", "idProperty": "email", "properties": {"city": "-"}},
        {"id": ada, "properties": {"city": "Paris"}},
    ]
    result = make_client(transport=sandbox).contacts.update(rows, chunk_size=2)
    expected = [SUCCEEDED, SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED]
    assert statuses(result) == expected
    assert [o.result.id for o in result.succeeded] == [ada, bob, bob, ada]
    assert [o.result.properties["city"] for o in result.succeeded] == [
        *("Rome", "Oslo", "Bern", "Paris")
    ]


def test_contacts_are_upserted(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """The ids of results are not those of inputs, and each result is its own input's."""
    ada = sandbox.records("contacts")[0]
    rows: list[Any] = [
        upsert("new@example.com", city="Oslo"),
        upsert("ADA@example.com", city="Rome"),
        upsert("no address", city="-"),
        ContactUpsert("2", {"city": "Bern"}, id_property="no", object_write_trace_id="mine"),
        {"id": ada.id, "properties": {"city": "Paris"}},
        {"id": "x@example.com", "idProperty": "email"},
    ]
    contacts = make_client(transport=sandbox).contacts
    # Ada is named in two ways, which only the server can know: not in one request.
    result = contacts.upsert(rows, chunk_size=2)
    assert statuses(result) == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED, SUCCEEDED, FAILED]
    assert [o.result.new for o in result.succeeded] == [True, False, False, False]
    assert [o.result.properties["city"] for o in result.succeeded] == [
        *("Oslo", "Rome", "Bern", "Paris")
    ]
    assert result.outcomes[1].result.id == ada.id
    assert all(isinstance(o.result, UpsertedContact) for o in result.succeeded)
    assert [o.error.kind for o in result.failed] == ["refused", "invalid_input"]
    assert emails(sandbox) == ["ada@example.com", "bob@example.com", "new@example.com"]


def test_upserts_of_one_contact_go_one_after_the_other(
    make_client: ClientFactory, sandbox: Sandbox
) -> None:
    """The last one stays, and none makes a second contact."""
    rows = [upsert(f"{'EVA' if n % 2 else 'eva'}@example.com", city=str(n)) for n in range(5)]
    result = make_client(transport=sandbox).contacts.upsert(rows)
    assert [o.result.properties["city"] for o in result.outcomes] == list("01234")
    assert [o.result.new for o in result.outcomes] == [True, *[False] * 4]
    assert emails(sandbox).count("eva@example.com") == 1


def test_an_upsert_whose_answer_is_lost_is_sent_again(
    make_client: ClientFactory, sandbox: Sandbox
) -> None:
    """Twice is as good as once."""
    sandbox.use_faults(script(["reset_after", None, "500_after"]))
    rows = [upsert(f"{n}@example.com", city="Rome") for n in range(4)]
    result = make_client(transport=sandbox).contacts.upsert(rows, chunk_size=2)
    assert statuses(result) == [SUCCEEDED] * 4
    assert len(emails(sandbox)) == 6


def test_trace_ids_tie_where_nothing_else_does(make_client: ClientFactory) -> None:
    """Results and errors name inputs by them, whatever the ids and properties are."""

    def answer(request: httpx.Request) -> httpx.Response:
        traces = [one["objectWriteTraceId"] for one in json.loads(request.content)["inputs"]]
        assert len(set(traces)) == 3
        shown = {"id": "7", "archived": False, "new": True, "objectWriteTraceId": traces[1]}
        error = {"message": "No.", "context": {"objectWriteTraceId": [traces[2]]}}
        body = {"status": "COMPLETE", "results": [shown], "numErrors": 1, "errors": [error]}
        return httpx.Response(207, json=body)

    rows = [upsert("a@x.com"), upsert("b@x.com"), upsert("c@x.com")]
    result = make_client(transport=httpx.MockTransport(answer)).contacts.upsert(rows)
    assert statuses(result) == [UNKNOWN, SUCCEEDED, FAILED]
    assert result.outcomes[1].result.id == "7"


def test_a_value_that_two_inputs_could_have_left_is_nobody_s(make_client: ClientFactory) -> None:
    """One input names its contact by the email that another one gives to its own."""

    def answer(request: httpx.Request) -> httpx.Response:
        names = [one["id"] for one in json.loads(request.content)["inputs"]]
        assert names == ["a@x.com", "b@x.com", "c@x.com"]
        shown = [
            {"id": str(n), "properties": {"email": email}, "archived": False, "new": False}
            for n, email in enumerate(["b@x.com", "c@x.com"])
        ]
        return httpx.Response(200, json={"status": "COMPLETE", "results": shown})

    rows = [upsert("a@x.com", email="B@x.com"), upsert("b@x.com"), upsert("c@x.com")]
    result = make_client(transport=httpx.MockTransport(answer)).contacts.upsert(rows)
    assert statuses(result) == [UNKNOWN, UNKNOWN, SUCCEEDED]
    assert [contact.properties["email"] for contact in result.unmatched] == ["b@x.com"]


def test_the_sandbox_is_strict(make_client: ClientFactory, sandbox: Sandbox) -> None:
    """Limit, form and scopes hold for contacts as for others, also beside the inputs."""

    def ask(name: str, body: dict[str, Any]) -> httpx.Response:
        client = make_client(transport=sandbox)
        path = f"/crm/v3/objects/contacts/batch/{name}"
        return make_client.request(client, "POST", f"https://api.hubapi.com{path}", json=body)

    ids = [{"id": str(n)} for n in range(101)]
    assert ask("read", {"inputs": ids}).status_code == 400
    assert ask("read", {"inputs": ids[:100]}).status_code == 207
    assert ask("read", {"inputs": [], "properties": "no"}).status_code == 400
    assert ask("read", {"inputs": [], "propertys": []}).status_code == 400
    assert ask("upsert", {"inputs": [{"id": "1"}]}).status_code == 400
    with pytest.raises(MissingScopesError, match=r"crm\.objects\.contacts\.write"):
        make_client(transport=Sandbox(scopes=["crm.objects.contacts.read"])).contacts.upsert(
            [upsert("a")]
        )


@pytest.mark.parametrize(
    "beside", [{"properties": "no"}, {"properties": [1]}, {"id_property": 5}], ids=str
)
def test_what_is_given_beside_is_checked(
    make_client: ClientFactory, beside: dict[str, Any]
) -> None:
    """A sentence names it, and nothing is sent."""
    sandbox = Sandbox()
    with pytest.raises(ConfigurationError, match=next(iter(beside))):
        make_client(transport=sandbox).contacts.read(["1"], **beside)
    assert not sandbox.requests


def test_the_generated_functions_send_it(sandbox: Sandbox) -> None:
    """Without the client, models hold what goes beside the inputs."""
    client = Client(
        base_url="https://x",
        headers={"Authorization": "Bearer t"},
        httpx_args={"transport": SandboxTransport(sandbox)},
    )
    put = ContactUpsertBatchInput([ContactUpsert("e@x.com", {"city": "Rome"}, id_property="email")])
    upserted = upsert_contacts.sync(client=client, body=put)
    assert upserted is not None
    body = ContactReadBatchInput([ContactReadInput("E@x.com")], properties=["city"])
    body.id_property = "email"
    found = read_contacts.sync(client=client, body=body)
    assert isinstance(found, ContactBatch)
    assert [contact.properties for contact in found.results] == [{"city": "Rome"}]


def any_input(rng: random.Random, number: int, ids: list[str]) -> dict[str, Any]:
    """An input that names a contact in some way, and may set what others name theirs by."""
    name = rng.choice(["id", "email", "code"])
    values = {
        "id": [*ids, "123"],
        "email": ["a@x.com", "A@X.com", "b@x.com", "C@x.com", "zz@x.com", "none"],
        "code": ["0", "1", "2", "9", *ids[:2]],
    }
    made: dict[str, Any] = {"id": rng.choice(values[name]), "properties": {"no": str(number)}}
    if name != "id":
        made["idProperty"] = name
    if rng.random() < 0.15:
        made["properties"] |= rng.choice([{"email": "b@x.com"}, {"code": "1"}, {"code": ids[0]}])
    if rng.random() < 0.1:
        made["objectWriteTraceId"] = rng.choice(["s", "t"])
    return made


@pytest.mark.parametrize("seed", range(60))
def test_a_result_is_never_given_to_another_input(make_client: ClientFactory, seed: int) -> None:
    """With any inputs, faults and echoes: it has the number that its own input has sent."""
    rng = random.Random(seed)
    sandbox = Sandbox(seed=seed, trace_echo=rng.choice([0, 0.5, 1]), rate_limit=None)
    contacts = make_client(transport=sandbox).contacts
    contacts.create(
        [{"properties": {"email": f"{c}@x.com", "code": str(n)}} for n, c in enumerate("abcde")]
    )
    ids = [record.id for record in sandbox.records("contacts")]
    faults = ("reset_after", "500_after", "drop_results", "silent_noop", "bare_errors", "delay")
    sandbox.use_faults(rates({name: rng.choice([0, 0.1]) for name in faults}))
    rows = [any_input(rng, number, ids) for number in range(rng.choice([3, 8, 20]))]
    change = rng.choice([contacts.update, contacts.upsert])
    result = change(rows, chunk_size=rng.choice([2, 5, 20]))
    assert len(result.outcomes) == len(rows)
    for outcome in result.succeeded:
        assert outcome.result.properties["no"] == outcome.input["properties"]["no"]
    name = rng.choice(["email", "code"])
    asked = rng.choices(["a@x.com", "B@x.com", "n@x.com", "0", "1", "7"], k=6)
    for outcome in contacts.read(asked, id_property=name, properties=["no"]).succeeded:
        assert outcome.result.properties[name].lower() == outcome.input.lower()
