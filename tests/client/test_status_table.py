"""The table of statuses: which are sent again, and what each means in the end."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from attrs import evolve, frozen
from both_clients import ClientFactory
from hubspot_batch import (
    AuthenticationError,
    ConfigurationError,
    DailyLimitError,
    ForbiddenError,
    HubSpotBatchError,
    MissingScopesError,
    RateLimitError,
    Retry,
    UnavailableError,
    UnreachableError,
)
from hubspot_batch.sandbox import Sandbox
from scripted_server import (
    CAMPAIGNS,
    CREATES,
    DONE,
    KINDS,
    READ,
    UPDATE,
    ScriptedServer,
    Step,
    assert_true,
    breaks_off,
    carry_out,
    carry_out_or_stop,
    carry_out_raw,
    fails,
    held,
    meeting,
    says,
    statuses,
    wanted,
)

pytestmark = pytest.mark.many

# The pauses before the attempts of the default `Retry`.
BACKOFF = (1.0, 2.0, 4.0, 8.0)


@frozen
class Fate:
    """How a request ends that meets the same thing each time: pauses, outcome, what is raised."""

    pauses: tuple[float, ...]
    status: str
    kind: str
    stop: type[HubSpotBatchError] | None = None


def stops(error: type[HubSpotBatchError], *pauses: float) -> Fate:
    """Nothing was done, and the run ends."""
    return Fate(pauses, "not_sent", "stopped", error)


@frozen
class Row:
    """A line of the table: what is met, and what it means for reads, updates and creates."""

    name: str
    met: Step
    reads: Fate
    updates: Fate
    creates: Fate

    def fate(self, kind: str) -> Fate:
        return {READ: self.reads, UPDATE: self.updates}.get(kind, self.creates)


def same(name: str, met: Step, fate: Fate) -> Row:
    return Row(name, met, fate, fate, fate)


def never_sent(name: str, failure: type[Exception]) -> Row:
    return same(name, fails(failure), stops(UnreachableError, *BACKOFF))


def maybe_done(name: str, met: Step, kind: str) -> Row:
    """Repeated where that does no harm; a create is unknown at once."""
    return Row(
        name,
        met,
        Fate(BACKOFF, "failed", kind),
        Fate(BACKOFF, "unknown", kind),
        Fate((), "unknown", kind),
    )


def failing(status: int) -> Row:
    """Nothing was done, and nothing is sent again."""
    kind = "refused" if status < 500 else "server_error"
    return same(str(status), says(status), Fate((), "failed", kind))


def unclear(status: int) -> Row:
    """An unknown failure: writes may have been done, and nothing is repeated."""
    unknown = Fate((), "unknown", "server_error")
    return Row(str(status), says(status), evolve(unknown, status="failed"), unknown, unknown)


def limited(policy: str) -> dict[str, str]:
    return {"status": "error", "errorType": "RATE_LIMIT", "policyName": policy, "message": "slow"}


TABLE = (
    never_sent("connection refused or no such host", httpx.ConnectError),
    never_sent("connect time-out", httpx.ConnectTimeout),
    never_sent("pool time-out", httpx.PoolTimeout),
    maybe_done("read time-out", fails(httpx.ReadTimeout), "no_answer"),
    maybe_done("write time-out", fails(httpx.WriteTimeout), "no_answer"),
    maybe_done("reset while reading", fails(httpx.ReadError), "no_answer"),
    maybe_done("reset while writing", fails(httpx.WriteError), "no_answer"),
    maybe_done("hung up", fails(httpx.RemoteProtocolError), "no_answer"),
    maybe_done("a body that breaks off", breaks_off(200), "no_answer"),
    *(
        maybe_done(str(status), says(status), "server_error")
        for status in (500, 502, 503, 504, 521, 523, 524)
    ),
    *(
        maybe_done(f"{status} {name}", says(status, body), "server_error")
        for status in (200, 201, 207)
        for name, body in (
            ("HTML", "<html></html>"),
            ("truncated", '{"status": "COMPLETE", "resu'),
            ("empty", ""),
            ("list", "[]"),
        )
    ),
    same(
        "429",
        says(429, limited("TEN_SECONDLY_ROLLING")),
        stops(RateLimitError, 10.0, 10.0, 10.0, 10.0),
    ),
    same("429 of the day", says(429, limited("DAILY")), stops(DailyLimitError)),
    same("423", says(423, {"category": "LOCKED"}), stops(UnavailableError, 2.0, 2.0, 4.0, 8.0)),
    same(
        "477 soon", says(477, headers={"Retry-After": "20"}), stops(UnavailableError, *[20.0] * 4)
    ),
    same("477 of a day", says(477, headers={"Retry-After": "86400"}), stops(UnavailableError)),
    same("401", says(401, {"message": "expired"}), stops(AuthenticationError)),
    same("403", says(403, {"message": "scope"}), stops(MissingScopesError)),
    same(
        "403 not of a scope", says(403, {"message": "The account is gone."}), stops(ForbiddenError)
    ),
    # A proxy, or the network itself, wants a login: HubSpot was not reached.
    *(same(str(status), says(status), stops(UnreachableError)) for status in (407, 511)),
    same("403 of the edge", says(403), Fate((), "failed", "refused")),
    same(
        "404 of a record",
        says(404, {"category": "OBJECT_NOT_FOUND"}),
        Fate((), "failed", "refused"),
    ),
    same("404", says(404), stops(ConfigurationError)),
    *(failing(status) for status in (400, 409, 413, 414)),
    *(failing(status) for status in (301, 302, 304, 307, 308, 402, 405, 406, 408, 410)),
    *(failing(status) for status in (415, 417, 418, 421, 422, 424, 425, 426, 428, 431, 451, 499)),
    *(failing(status) for status in (501, 505, 522, 525, 526, 530)),
    *(unclear(status) for status in (506, 507, 508, 510, 520, 527, 529, 540, 598, 599)),
)

# These can be about one input of several; all other refusals are about the request as a whole.
OF_INPUTS = ("400", "404 of a record", "409", "410", "422", "424")

each_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name.replace(" ", "-"))
each_kind = pytest.mark.parametrize("kind", KINDS)


def test_no_status_stands_twice_in_the_table() -> None:
    """A line that another one hides would test nothing."""
    assert len({row.name for row in TABLE}) == len(TABLE)


@each_kind
@each_row
def test_each_line_of_the_table(make_client: ClientFactory, row: Row, kind: str) -> None:
    """Requests, pauses, outcome and exception are those of the line."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, row.met)
    fate = row.fate(kind)
    client = meeting(make_client, server)
    inputs = wanted(sandbox, kind, 1)
    if fate.stop is None:
        result = carry_out(client, kind, inputs)
    else:
        with pytest.raises(fate.stop) as caught:
            carry_out(client, kind, inputs)
        assert type(caught.value) is fate.stop
        said = row.met.said
        code = said.status_code if isinstance(said, httpx.Response) else None
        assert caught.value.status_code == code
        result = caught.value.result
    assert tuple(server.pauses) == fate.pauses
    (outcome,) = result.outcomes
    assert (outcome.status, outcome.error.kind) == (fate.status, fate.kind)
    if isinstance(row.met.said, httpx.Response) and fate.kind in ("refused", "server_error"):
        assert outcome.error.status_code == row.met.said.status_code


@each_kind
@each_row
def test_each_line_of_the_table_for_generated_functions(
    make_client: ClientFactory, row: Row, kind: str
) -> None:
    """A raw call is repeated alike, and ends in the last answer or failure itself."""
    sandbox = Sandbox()
    server = ScriptedServer(sandbox, row.met)
    client = meeting(make_client, server)
    inputs = wanted(sandbox, kind, 1)
    said = row.met.said
    assert said is not None
    if isinstance(said, httpx.Response) and not row.name.startswith("a body"):
        assert carry_out_raw(make_client, client, kind, inputs).status_code == said.status_code
    else:
        failure = type(said) if isinstance(said, Exception) else httpx.ReadError
        with pytest.raises(failure):
            carry_out_raw(make_client, client, kind, inputs)
    assert tuple(server.pauses) == row.fate(kind).pauses


@each_kind
@each_row
def test_each_line_of_the_table_for_several_inputs_is_true(
    make_client: ClientFactory, row: Row, kind: str
) -> None:
    """Inputs that may have been done were: outcomes have the line's status, or are isolated."""
    sandbox = Sandbox()
    fate = row.fate(kind)
    work = fate.status == "unknown" or kind == READ
    server = ScriptedServer(sandbox, evolve(row.met, work=work))
    inputs = wanted(sandbox, kind, 3)
    result = carry_out_or_stop(meeting(make_client, server), kind, inputs)
    # HubSpot does not say whether it creates some campaigns of a request that it refuses.
    partial = kind == CAMPAIGNS and row.name in OF_INPUTS
    assert statuses(result) == ["unknown" if partial else fate.status] * 3
    assert_true(result, sandbox, kind)
    assert (held(sandbox, kind) != []) is (kind == UPDATE or (work and kind in CREATES))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param(row, kind, id=f"{row.name}-{kind}".replace(" ", "-"))
        for row in TABLE
        for kind in KINDS
        if row.fate(kind).pauses
    ],
)
def test_what_passes_is_forgotten(make_client: ClientFactory, row: Row, kind: str) -> None:
    """After two of the same, the server is well again: what is repeated succeeds."""
    sandbox = Sandbox()
    fate = row.fate(kind)
    broken = evolve(row.met, work=fate.status == "unknown")
    server = ScriptedServer(sandbox, broken, broken, DONE)
    inputs = wanted(sandbox, kind, 2)
    result = carry_out(meeting(make_client, server), kind, inputs)
    assert statuses(result) == ["succeeded"] * 2
    assert tuple(server.pauses) == fate.pauses[:2]
    assert_true(result, sandbox, kind)


@each_kind
def test_a_token_that_is_renewed_is_tried_once(make_client: ClientFactory, kind: str) -> None:
    """A 401 means not done, so creates are repeated too, at once and once."""
    sandbox = Sandbox()
    for last, ends in ((DONE, "succeeded"), (says(401), "not_sent")):
        tokens = iter(["old", "new", "newer", "newest"])
        server = ScriptedServer(sandbox, says(401), last)
        client = meeting(make_client, server, lambda tokens=tokens: next(tokens))
        result = carry_out_or_stop(client, kind, wanted(sandbox, kind, 1))
        assert statuses(result) == [ends]
        assert server.times == [0.0, 0.0]
        assert [one.token for one in server.seen] == ["old", "new"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("met", [says(503), fails(httpx.ReadTimeout)], ids=["503", "time-out"])
def test_requests_of_ones_own_are_repeated_by_their_method(
    make_client: ClientFactory, method: str, met: Step
) -> None:
    """Only what changes nothing is repeated where it may have been done."""
    server = ScriptedServer(Sandbox(), met, says(200, {}))
    client = meeting(make_client, server)
    harmless = method in ("GET", "HEAD", "OPTIONS")
    if harmless or isinstance(met.said, httpx.Response):
        answer = make_client.request(client, method, "/account-info/v3/details")
        assert answer.status_code == (200 if harmless else 503)
    else:
        with pytest.raises(httpx.ReadTimeout):
            make_client.request(client, method, "/account-info/v3/details")
    assert server.times == ([0.0, 1.0] if harmless else [0.0])


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/calls/batch/merge",
        "/marketing/v3/campaigns/batch/create",
        "/marketing/v3/campaigns/batch/read/more",
        "/x/marketing/v3/campaigns/batch/read",
        "/marketing/v3/marketing-events/batch/upsert",
    ],
)
def test_a_path_that_only_looks_like_one_of_ours_is_sent_once(
    make_client: ClientFactory, path: str
) -> None:
    """The caller has not said that it may be repeated."""
    server = ScriptedServer(Sandbox(), says(503))
    assert (
        make_client.request(meeting(make_client, server), "POST", path, json={}).status_code == 503
    )
    assert server.times == [0.0]


def test_patience_ends_with_the_attempts_too(make_client: ClientFactory) -> None:
    """The first attempt counts as one."""
    for attempts in (1, 2, 3, 7):
        server = ScriptedServer(Sandbox(), fails(httpx.ConnectError))
        client = meeting(make_client, server, retry=Retry(max_attempts=attempts))
        with pytest.raises(UnreachableError):
            carry_out(client, CREATES[0], wanted(server.sandbox, CREATES[0], 1))
        assert tuple(server.pauses) == (1.0, 2.0, 4.0, 8.0, 10.0, 10.0)[: attempts - 1]


def test_patience_ends_with_the_time_too(make_client: ClientFactory) -> None:
    """The time that the attempts themselves take counts, and no pause goes beyond the end."""
    lost: list[Any] = [says(503, seconds=30.0), fails(httpx.ReadTimeout, seconds=30.0)]
    for met in lost:
        server = ScriptedServer(Sandbox(), met)
        inputs = wanted(server.sandbox, READ, 1)
        result = carry_out(
            meeting(make_client, server, retry=Retry(max_elapsed=61.5)), READ, inputs
        )
        assert statuses(result) == ["failed"]
        assert server.times == [0.0, 31.0]
    server = ScriptedServer(Sandbox(), fails(httpx.ConnectError))
    client = meeting(make_client, server, retry=Retry(max_attempts=99, max_elapsed=25.0))
    with pytest.raises(UnreachableError):
        carry_out(client, READ, wanted(server.sandbox, READ, 1))
    assert server.times == [0.0, 1.0, 3.0, 7.0, 15.0, 25.0]


# What a later attempt can end in, and what is raised then.
ENDS: dict[str, tuple[Step, type[HubSpotBatchError]]] = {
    "no-connection": (fails(httpx.ConnectError), UnreachableError),
    "429": (says(429, limited("TEN_SECONDLY_ROLLING")), RateLimitError),
    "429-of-the-day": (says(429, limited("DAILY")), DailyLimitError),
    "423": (says(423), UnavailableError),
    "477": (says(477, headers={"Retry-After": "86400"}), UnavailableError),
    "401": (says(401), AuthenticationError),
    "403": (says(403, {"message": "scope"}), MissingScopesError),
}
each_end = pytest.mark.parametrize(("last", "error"), ENDS.values(), ids=ENDS)
LOST = [says(503, work=True), fails(httpx.ReadTimeout, work=True), says(200, "", work=True)]
LOST += [breaks_off(200, work=True)]


@pytest.mark.parametrize("lost", LOST, ids=["503", "time-out", "unreadable", "broken-off"])
@each_end
def test_an_update_that_may_have_been_done_stays_unknown(
    make_client: ClientFactory, last: Step, error: type[HubSpotBatchError], lost: Step
) -> None:
    """The first attempt may have been carried out, and was, however the later ones end."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 6)
    server = ScriptedServer(sandbox, DONE, lost, last)
    client = meeting(make_client, server, max_concurrency=1)
    with pytest.raises(error) as caught:
        carry_out(client, UPDATE, inputs, chunk_size=2)
    result = caught.value.result
    assert result is not None
    assert statuses(result) == ["succeeded"] * 2 + ["unknown"] * 2 + ["not_sent"] * 2
    assert_true(result, sandbox, UPDATE)


@each_end
def test_a_doubt_is_not_forgotten_over_a_refusal_that_passes(
    make_client: ClientFactory, last: Step, error: type[HubSpotBatchError]
) -> None:
    """An attempt in the middle that was certainly not done says nothing of the first."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, 1)
    server = ScriptedServer(
        sandbox, says(503, work=True), says(423), fails(httpx.ConnectError), last
    )
    with pytest.raises(error) as caught:
        carry_out(meeting(make_client, server), UPDATE, inputs)
    assert caught.value.result is not None
    assert statuses(caught.value.result) == ["unknown"]


@pytest.mark.parametrize("status", [400, 404, 409, 413, 414, 422, 501, 522, 526])
@pytest.mark.parametrize("count", [1, 3])
def test_an_update_that_is_refused_at_last_may_have_been_done_at_first(
    make_client: ClientFactory, status: int, count: int
) -> None:
    """A refusal is of its attempt: it does not say that the first one was not carried out."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, UPDATE, count)
    refusal = says(status, {"message": "no", "category": "X"})
    server = ScriptedServer(sandbox, says(503, work=True), refusal)
    result = carry_out(meeting(make_client, server), UPDATE, inputs)
    assert statuses(result) == ["unknown"] * count
    assert_true(result, sandbox, UPDATE)


@each_end
def test_a_read_is_never_unknown(
    make_client: ClientFactory, last: Step, error: type[HubSpotBatchError]
) -> None:
    """It changes nothing, however it ends."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, READ, 2)
    with pytest.raises(error) as caught:
        carry_out(meeting(make_client, ScriptedServer(sandbox, says(503), last)), READ, inputs)
    assert caught.value.result is not None
    assert set(statuses(caught.value.result)) <= {"not_sent", "failed"}


@pytest.mark.parametrize("kind", CREATES)
@pytest.mark.parametrize("lost", LOST, ids=["503", "time-out", "unreadable", "broken-off"])
@pytest.mark.parametrize(
    "first",
    [says(429), says(423), says(477), fails(httpx.ConnectError), fails(httpx.PoolTimeout)],
    ids=["429", "423", "477", "refused", "pool"],
)
def test_a_create_is_repeated_until_it_may_have_been_done(
    make_client: ClientFactory, first: Step, lost: Step, kind: str
) -> None:
    """An input that was certainly not done is sent again; one that may have been done is not."""
    sandbox = Sandbox()
    inputs = wanted(sandbox, kind, 2)
    server = ScriptedServer(sandbox, first, first, lost, DONE)
    result = carry_out(meeting(make_client, server), kind, inputs)
    assert len(server.seen) == 3
    assert statuses(result) == ["unknown"] * 2
    assert_true(result, sandbox, kind)
    assert len(held(sandbox, kind)) == 2
