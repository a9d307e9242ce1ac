"""A job that goes on where it stopped: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import json
import pickle
import sqlite3
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    AsyncHubSpotBatch,
    BatchResult,
    ConfigurationError,
    DailyLimitError,
    HubSpotBatch,
    HubSpotBatchError,
    IncompleteError,
    Journal,
    JournalError,
    Outcome,
    PostgresJournal,
)
from hubspot_batch.journal.sqlite import SqliteStore
from hubspot_batch.sandbox import Sandbox, SandboxTransport, script
from hubspot_batch_client.models import CallInput
from leak_watch import SECRET
from scripted_server import NOON

TRACE_ID = "objectWriteTraceId"

EVENTS = ("8001", "8002", "8003")


def call(title: object) -> dict[str, Any]:
    return {"properties": {"hs_timestamp": NOON, "hs_call_title": str(title)}}


def titles(sandbox: Sandbox) -> Counter[str]:
    return Counter(record.properties["hs_call_title"] for record in sandbox.records("calls"))


def statuses(outcomes: Any) -> list[str]:
    return [outcome.status.value for outcome in outcomes]


def quiet(**more: Any) -> Sandbox:
    return Sandbox(rate_limit=None, **more)


NewJournal = Callable[..., Journal]


@pytest.fixture(params=["sqlite", "postgres"])
def new_journal(request: pytest.FixtureRequest, tmp_path: Path) -> NewJournal:
    """Name one journal, with any options, in each kind of store."""
    if request.param == "sqlite":
        return functools.partial(Journal, tmp_path / "journal.sqlite")
    conninfo = request.getfixturevalue("postgres")
    return functools.partial(PostgresJournal, str(tmp_path), conninfo=conninfo)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


# ---------------------------------------------------------------- a task that is tried again


def test_a_task_that_is_tried_again_creates_nothing_twice(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """A scheduler runs a task again when it raises; its 500 good rows become 500 calls."""
    sandbox = quiet()
    rows = [call(number) for number in range(500)]
    rows.append({"properties": {"hs_call_title": "a call without a time"}})

    def task() -> None:
        client = make_client(transport=sandbox)
        client.calls.create(rows, journal=new_journal()).raise_for_failures()

    for _ in range(3):
        with pytest.raises(IncompleteError, match="500 succeeded, 1 failed"):
            task()
    assert titles(sandbox) == Counter(str(number) for number in range(500))
    assert len(sandbox.requests) == 6


def test_outcomes_of_an_earlier_run_are_the_same(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Results and errors come back as they were, and no request is sent."""
    sandbox = quiet()
    rows = [*map(call, range(7)), {"properties": {"hs_call_title": "bad"}}, {"nonsense": 1}]
    first = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    count = len(sandbox.requests)
    again = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert again == first
    assert statuses(again.outcomes) == ["succeeded"] * 7 + ["failed"] * 2
    iterated = [*make_client(transport=sandbox).calls.create_iter(rows, journal=new_journal())]
    assert sorted(iterated, key=lambda outcome: outcome.index) == [*first.outcomes]
    assert len(sandbox.requests) == count


def test_reads_come_from_the_journal_too(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """A job that reads goes on, with equal records and equal errors."""
    sandbox = quiet()
    ids = [sandbox.add_campaign(f"Campaign {one}") for one in range(60)]
    ids = [*ids, "nobody", ids[0], ids[0]]
    client = make_client(transport=sandbox)
    first = client.campaigns.read(ids, properties=["hs_name"], journal=new_journal())
    count = len(sandbox.requests)
    assert client.campaigns.read(ids, properties=["hs_name"], journal=new_journal()) == first
    assert Counter(statuses(first.outcomes)) == {"succeeded": 62, "failed": 1}
    assert len(sandbox.requests) == count


# ---------------------------------------------------------------- what is sent again


@pytest.mark.parametrize("lost", ["reset_after", "reset_before"])
def test_a_create_in_doubt_is_not_sent_again(
    make_client: ClientFactory, new_journal: NewJournal, lost: str
) -> None:
    """Unless the caller insists, twice: it may have been done."""
    sandbox = quiet(faults=script([lost]))
    rows = [*map(call, range(3))]
    first = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert statuses(first.outcomes) == ["unknown"] * 3
    assert make_client(transport=sandbox).calls.create(rows, journal=new_journal()) == first
    with pytest.raises(ConfigurationError, match="may_create_twice=True") as caught:
        make_client(transport=sandbox).calls.create(rows, journal=new_journal(retry="unknown"))
    assert statuses(caught.value.result.outcomes) == ["unknown"] * 3  # type: ignore[union-attr]
    insists = new_journal(retry=["unknown"], may_create_twice=True)
    last = make_client(transport=sandbox).calls.create(rows, journal=insists)
    assert statuses(last.outcomes) == ["succeeded"] * 3
    assert set(titles(sandbox).values()) == {2 if lost == "reset_after" else 1}


def test_a_create_that_was_insisted_on_stays_in_doubt(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """If it is refused now, or the run stops before it, the first attempt may have been it."""
    sandbox = quiet(faults=script(["reset_after", *["refused"] * 5, *["daily_limit"] * 9]))
    rows = [*map(call, range(3))]
    insists = new_journal(retry="unknown", may_create_twice=True)
    for journal in (new_journal(), insists):
        found = make_client(transport=sandbox).calls.create(rows, journal=journal, chunk_size=3)
        assert statuses(found.outcomes) == ["unknown"] * 3
    for chunk_size in (3, 1):
        with pytest.raises(DailyLimitError) as caught:
            make_client(transport=sandbox).calls.create(
                rows, journal=insists, chunk_size=chunk_size
            )
        assert statuses(caught.value.result.outcomes) == ["unknown"] * 3  # type: ignore[union-attr]
    assert new_journal().counts()["unknown"] == 3
    assert titles(sandbox) == Counter("012")


def test_what_was_not_sent_is_sent(make_client: ClientFactory, new_journal: NewJournal) -> None:
    """Also what was never read; the day's limit stopped the first run after two requests."""
    sandbox = quiet(faults=script([None, None, *["daily_limit"] * 9]))
    rows = [*map(call, range(50))]
    with pytest.raises(DailyLimitError) as caught:
        make_client(transport=sandbox, max_concurrency=2).calls.create(
            rows, chunk_size=10, journal=new_journal()
        )
    first: BatchResult[Any] = caught.value.result  # type: ignore[assignment]
    assert (len(first.succeeded), len(first.not_sent)) == (20, 30)
    sandbox.use_faults(script([]))
    result = make_client(transport=sandbox).calls.create(
        iter(rows), chunk_size=10, journal=new_journal()
    )
    assert len(result.succeeded) == 50
    assert titles(sandbox) == Counter(map(str, range(50)))


def test_what_waits_is_not_recorded_as_intended(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """A kill while a request waits leaves no doubt: only what is sent next is intended."""
    sandbox = quiet(daily_limit=5)
    client = make_client(transport=sandbox, daily_reserve=2, max_concurrency=1)
    with pytest.raises(DailyLimitError):
        client.calls.create([*map(call, range(9))], chunk_size=1, journal=new_journal())
    assert new_journal().counts() == {
        **dict.fromkeys(("intended", "failed", "unknown", "not_sent"), 0),
        "succeeded": len(sandbox.requests),
    }


def test_a_stopped_run_tells_what_earlier_runs_did(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """An input that the run did not reach is not `not_sent` if an earlier run has sent it."""
    sandbox = quiet()
    rows = [*map(call, range(200))]
    make_client(transport=sandbox).calls.create(rows[100:], journal=new_journal())
    sandbox.use_faults(script(["daily_limit"] * 9))
    with pytest.raises(DailyLimitError) as caught:
        make_client(transport=sandbox, max_concurrency=1).calls.create(
            rows, chunk_size=10, journal=new_journal()
        )
    result: BatchResult[Any] = caught.value.result  # type: ignore[assignment]
    assert statuses(result.outcomes) == ["not_sent"] * 100 + ["succeeded"] * 100
    assert all(outcome.result is not None for outcome in result.succeeded)


def test_failed_inputs_are_sent_again_on_request(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """By default their error is told again."""
    sandbox = quiet(faults=script(["conflict"] * 5))
    rows = [*map(call, range(2))]
    first = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert statuses(first.outcomes) == ["failed"] * 2
    sandbox.use_faults(script([]))
    assert make_client(transport=sandbox).calls.create(rows, journal=new_journal()) == first
    again = make_client(transport=sandbox).calls.create(rows, journal=new_journal(retry=["failed"]))
    assert statuses(again.outcomes) == ["succeeded"] * 2
    assert new_journal().counts() == {
        **dict.fromkeys(["intended", "failed", "unknown", "not_sent"], 0),
        "succeeded": 2,
    }


def test_restart_forgets(make_client: ClientFactory, path: Path) -> None:
    """Everything is sent again, also for another operation."""
    sandbox = quiet()
    make_client(transport=sandbox).calls.create([call(1)], journal=path)
    make_client(transport=sandbox).calls.create([call(1)], journal=Journal(path, restart=True))
    assert titles(sandbox) == {"1": 2}
    client = make_client(transport=sandbox)
    client.campaigns.create([{"properties": {"hs_name": "x"}}], journal=Journal(path, restart=True))
    assert Journal(path).head()["operation"] == "create_campaigns"
    assert Journal(path).counts()["succeeded"] == 1


def test_updates_and_reads_in_doubt_are_sent_again(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """They may have been carried out, and twice does no harm."""
    sandbox = quiet(faults=script(["timeout_after"] * 20))
    for one in EVENTS:
        sandbox.add_marketing_event("as it was", record_id=one)
    rows = [{"objectId": one, "eventName": "new"} for one in EVENTS]
    update = make_client(transport=sandbox).marketing_events.update
    assert statuses(update(rows, journal=new_journal()).outcomes) == ["unknown"] * 3
    sandbox.use_faults(script([]))
    update = make_client(transport=sandbox).marketing_events.update
    assert statuses(update(rows, journal=new_journal()).outcomes) == ["succeeded"] * 3


def test_the_last_change_of_a_record_stays_the_last(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """If an earlier one is sent again, those behind it are sent again after it."""
    sandbox = quiet(faults=script(["timeout_after"] * 2))
    sandbox.add_marketing_event("as it was", record_id="8001")
    rows = [{"objectId": "8001", "eventName": name} for name in ("first", "second", "third")]
    update = make_client(transport=sandbox).marketing_events.update
    first = update(rows, journal=new_journal())
    assert statuses(first.outcomes) == ["unknown", "succeeded", "succeeded"]
    # A kill between the first and the second: the journal says only that the first was repeated.
    sandbox.use_faults(script([None, *["daily_limit"] * 5]))
    with pytest.raises(DailyLimitError) as caught:
        make_client(transport=sandbox).marketing_events.update(rows, journal=new_journal())
    stopped: BatchResult[Any] = caught.value.result  # type: ignore[assignment]
    assert statuses(stopped.outcomes) == ["succeeded", "unknown", "unknown"]
    sandbox.use_faults(script([]))
    last = make_client(transport=sandbox).marketing_events.update(rows, journal=new_journal())
    assert statuses(last.outcomes) == ["succeeded"] * 3
    (event,) = sandbox.records("marketing_events")
    assert event.fields["eventName"] == "third"


# ---------------------------------------------------------------- what an input is known by


def test_an_input_is_known_by_its_content(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Neither by its position, nor by the order of its names, nor by its type."""
    sandbox = quiet()
    rows = [call(one) for one in "abc"]
    make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    turned = {"properties": dict(reversed(rows[0]["properties"].items()))}
    model = CallInput.from_dict({**rows[1], "associations": []})
    edited = [call("new"), rows[2], turned, model]
    result = make_client(transport=sandbox).calls.create(edited, journal=new_journal())
    assert statuses(result.outcomes) == ["succeeded"] * 4
    assert titles(sandbox) == Counter(["a", "b", "c", "new"])
    assert [outcome.input for outcome in result.outcomes] == edited
    assert [outcome.index for outcome in result.outcomes] == [0, 1, 2, 3]


def test_equal_inputs_are_counted(make_client: ClientFactory, new_journal: NewJournal) -> None:
    """Two equal rows are two calls; a third one is sent."""
    sandbox = quiet()
    for count in (2, 2, 1, 3, 3):
        result = make_client(transport=sandbox).calls.create(
            [call("same")] * count, journal=new_journal()
        )
        assert len(result.succeeded) == count
    assert titles(sandbox) == {"same": 3}


def test_equal_inputs_of_several_requests_are_counted(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Whether they come from a list, an iterator, or are told one by one."""
    sandbox = quiet()
    rows = [call("same")] * 7
    forms = itertools.cycle([lambda: rows, lambda: iter(rows)])
    for form in itertools.islice(forms, 4):
        client = make_client(transport=sandbox)
        assert len([*client.calls.create_iter(form(), chunk_size=2, journal=new_journal())]) == 7
    assert titles(sandbox) == {"same": 7}


def test_inputs_with_trace_ids_of_their_own(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """They are part of the input, also where two have the same and we rename one."""
    sandbox = quiet()
    rows = [{**call(one), "objectWriteTraceId": "mine"} for one in "ab"]
    first = make_client(transport=sandbox).calls.create(rows, journal=new_journal())
    assert make_client(transport=sandbox).calls.create(rows, journal=new_journal()) == first
    make_client(transport=sandbox).calls.create([call("a")], journal=new_journal())
    assert titles(sandbox) == {"a": 2, "b": 1}


def test_numbers_that_few_parsers_read(make_client: ClientFactory, new_journal: NewJournal) -> None:
    """An update with numbers of more than 64 bits is told from another one."""
    sandbox = quiet()
    sandbox.add_marketing_event("as it was", record_id="8001")
    rows = [{"objectId": "8001", "eventName": "x", "customProperties": []}]
    for _ in range(2):
        make_client(transport=sandbox).marketing_events.update(rows, journal=new_journal())
    assert len(sandbox.requests) == 1


# ---------------------------------------------------------------- runs that end early


def test_an_iterator_that_is_left_goes_on(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """The second run tells the outcomes of the first, too."""
    sandbox = quiet()
    rows = [*map(call, range(40))]
    iterator = make_client(transport=sandbox, max_concurrency=2).calls.create_iter(
        iter(rows), chunk_size=4, journal=new_journal()
    )
    told = [next(iterator) for _ in range(6)]
    iterator.close()
    again = [
        *make_client(transport=sandbox).calls.create_iter(rows, chunk_size=4, journal=new_journal())
    ]
    assert statuses(again) == ["succeeded"] * 40
    by_index = {outcome.index: outcome for outcome in again}
    assert [by_index[outcome.index] for outcome in told] == told
    assert titles(sandbox) == Counter(map(str, range(40)))


def test_inputs_that_raise(make_client: ClientFactory, new_journal: NewJournal) -> None:
    """Inputs that were read before are in the journal."""
    sandbox = quiet()

    def rows() -> Iterator[Any]:
        yield from map(call, range(5))
        raise OSError("the file is gone")

    with pytest.raises(HubSpotBatchError, match="OSError"):
        make_client(transport=sandbox).calls.create(rows(), chunk_size=2, journal=new_journal())
    result = make_client(transport=sandbox).calls.create(
        [*map(call, range(5))], journal=new_journal()
    )
    assert len(result.succeeded) == 5
    assert set(titles(sandbox).values()) == {1}


def test_a_long_run_of_known_inputs_is_passed_over(
    make_client: ClientFactory, new_journal: NewJournal
) -> None:
    """Few that are new among many that are known fill whole requests."""
    sandbox = quiet()
    rows = [*map(call, range(1200))]
    make_client(transport=sandbox).calls.create(rows[::2], journal=new_journal())
    count = len(sandbox.requests)
    result = make_client(transport=sandbox).calls.create(iter(rows), journal=new_journal())
    assert len(result.succeeded) == 1200
    assert len(sandbox.requests) - count == 6
    assert set(titles(sandbox).values()) == {1}
    told = [*make_client(transport=sandbox).calls.create_iter(iter(rows), journal=new_journal())]
    assert len({outcome.index for outcome in told}) == 1200
    more = [*rows[::3], *map(call, range(-1, -301, -1)), *rows]
    told = [
        *make_client(transport=sandbox).calls.create_iter(iter(more[:700]), journal=new_journal())
    ]
    assert len(told) == 700
    assert len(sandbox.requests) - count == 9


# ---------------------------------------------------------------- the head


def test_another_job_is_refused(make_client: ClientFactory, path: Path) -> None:
    """With what differs and what to do; nothing is sent, and the journal stays as it is."""
    sandbox = quiet()
    named = Journal(path, account="1", mapping="abc", source_size=5, source_digest="d")
    client = make_client(transport=sandbox)
    client.campaigns.read(["1"], properties=["hs_name"], journal=named)
    count = len(sandbox.requests)
    other = make_client(transport=sandbox, base_url="https://api-eu1.hubapi.com")
    for words, run in {
        "the operation was read_campaigns and is now create_calls": (
            lambda: client.calls.create([call(1)], journal=path)
        ),
        "the arguments was": lambda: client.campaigns.read(["1"], journal=path),
        "the base URL was https://api.hubapi.com and is now https://api-eu1.hubapi.com": (
            lambda: other.campaigns.read(["1"], properties=["hs_name"], journal=path)
        ),
        "the account was 1 and is now 2": lambda: client.campaigns.read(
            ["1"], properties=["hs_name"], journal=Journal(path, account="2")
        ),
        "the mapping was abc and is now xyz": lambda: client.campaigns.read(
            ["1"], properties=["hs_name"], journal=Journal(path, mapping="xyz")
        ),
    }.items():
        with pytest.raises(ConfigurationError, match=words) as caught:
            run()
        assert "Use another journal for this job" in str(caught.value)
        assert statuses(caught.value.result.outcomes) == ["not_sent"]  # type: ignore[union-attr]
    assert len(sandbox.requests) == count
    client.campaigns.read(["1"], properties=["hs_name"], chunk_size=1, journal=path)
    assert len(sandbox.requests) == count
    head = named.head()
    assert head["arguments"] == '{"properties": ["hs_name"]}'
    assert (head["source_size"], head["source_digest"], head["format"]) == ("5", "d", "2")


@pytest.mark.parametrize(
    ("journal", "words"),
    [
        (5, "the path of a file, or a Journal; got 5"),
        ("", "the path of a file"),
        (b"x", "the path of a file"),
    ],
)
def test_what_is_no_journal_is_refused(
    make_client: ClientFactory, journal: Any, words: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=words):
        make_client(transport=quiet()).calls.create([call(1)], journal=journal)
    with pytest.raises(ConfigurationError, match=words):
        make_client(transport=quiet()).calls.create_iter([call(1)], journal=journal)


@pytest.mark.parametrize("retry", ["sometimes", ["failed", "succeeded"], 5])
def test_unknown_words_of_retry_are_refused(retry: Any) -> None:
    """With those that are known."""
    with pytest.raises(ConfigurationError, match='"failed", "not_sent" or "unknown"'):
        Journal("x", retry=retry)
    assert Journal("x", retry=["not-sent"]).retry == {"not_sent"}


def test_a_journal_is_a_value(path: Path) -> None:
    """It goes to another process, and names its file as it was given."""
    journal = Journal(path, retry=["failed"])
    assert pickle.loads(pickle.dumps(journal)) == journal
    assert journal.path == str(path)
    assert not journal.exists()


# ---------------------------------------------------------------- files that cannot be used


def refusal(
    make_client: ClientFactory, sandbox: Sandbox, journal: Any, words: str
) -> list[Outcome[Any]]:
    """Refuse a run because of its journal; return the outcomes."""
    rows = [*map(call, range(3))]
    with pytest.raises(JournalError, match=words) as caught:
        make_client(transport=sandbox).calls.create(rows, journal=journal)
    iterator = make_client(transport=sandbox).calls.create_iter(rows, journal=journal)
    with pytest.raises(JournalError, match=words):
        next(iterator)
    assert sandbox.requests == ()
    assert caught.value.result is not None
    return [*caught.value.result.outcomes]


def test_a_folder_that_is_missing(make_client: ClientFactory, tmp_path: Path) -> None:
    """The error names the journal and what to do; nothing was sent."""
    outcomes = refusal(
        make_client, quiet(), tmp_path / "gone" / "j", "Check that its folder exists"
    )
    assert statuses(outcomes) == ["not_sent"] * 3


@pytest.mark.parametrize("text", [b"id,name\n1,x\n" * 99, b"SQLite format 3\0" + b"x" * 999])
def test_a_file_that_is_no_journal(make_client: ClientFactory, path: Path, text: bytes) -> None:
    """It stays as it is; a journal that was overwritten would have known more."""
    path.write_bytes(text)
    assert statuses(refusal(make_client, quiet(), path, "is not a journal")) == ["unknown"] * 3
    assert path.read_bytes() == text
    with pytest.raises(JournalError, match="is not a journal"):
        Journal(path).head()


def test_a_database_of_another_program(make_client: ClientFactory, path: Path) -> None:
    """No table is added to it."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = path.read_bytes()
    refusal(make_client, quiet(), path, "a database of another program")
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [1, 3], ids=["earlier", "later"])
def test_a_journal_of_another_version(make_client: ClientFactory, path: Path, version: int) -> None:
    """It is not read as what it is not."""
    make_client(transport=quiet()).calls.create([], journal=path)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE head SET value = ? WHERE name = 'format'", (version,))
    other.close()
    words = f"has format {version}, and this version of hubspot-batch reads format 2"
    refusal(make_client, quiet(), path, words)


def test_a_damaged_journal(make_client: ClientFactory, path: Path) -> None:
    """The journal cannot say what it knew of the inputs, so none of them is called unsent."""
    sandbox = quiet()
    rows = [*map(call, range(500))]
    make_client(transport=sandbox).calls.create(rows, journal=path)
    text = bytearray(path.read_bytes())
    text[4096:] = bytes(len(text) - 4096)
    path.write_bytes(text)
    count = len(sandbox.requests)
    with pytest.raises(JournalError, match=r"is damaged|cannot be") as caught:
        make_client(transport=sandbox).calls.create(rows, journal=path)
    assert len(sandbox.requests) == count
    assert len(caught.value.result.unknown) == 500  # type: ignore[union-attr]


def test_two_runs_cannot_have_it_at_once(make_client: ClientFactory, path: Path) -> None:
    """The second one says so, and claims nothing of the inputs that the first one has."""
    sandbox = quiet()
    first = make_client(transport=sandbox).calls.create_iter([*map(call, range(3))], journal=path)
    next(first)
    count = len(sandbox.requests)
    with pytest.raises(JournalError, match="in use by another run") as caught:
        make_client(transport=sandbox).calls.create([*map(call, range(3))], journal=path)
    assert len(caught.value.result.unknown) == 3  # type: ignore[union-attr]
    assert len(sandbox.requests) == count
    with pytest.raises(JournalError, match="in use by another run"):
        Journal(path).counts()
    first.close()
    assert Journal(path).counts()["succeeded"] == 3
    assert len(make_client(transport=sandbox).calls.create([call(1)], journal=path).succeeded) == 1


# ---------------------------------------------------------------- what it costs


def test_the_event_loop_goes_on_while_the_disk_is_slow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening, intents and outcomes are written in other threads."""
    waited = Counter[str]()

    async def main() -> BatchResult[Any]:
        loop = asyncio.get_running_loop()

        def slowly(name: str) -> Any:
            method = getattr(SqliteStore, name)

            def write(*arguments: Any, **named: Any) -> Any:
                # The disk is not done before the loop has done something else.
                going = threading.Event()
                loop.call_soon_threadsafe(going.set)
                assert going.wait(5), f"the loop waits for {name}"
                waited[name] += 1
                return method(*arguments, **named)

            return write

        for name in ("__init__", "intend", "settle"):
            monkeypatch.setattr(SqliteStore, name, slowly(name))
        async with AsyncHubSpotBatch("t", transport=SandboxTransport(quiet())) as client:
            return await client.calls.create([*map(call, range(6))], chunk_size=2, journal=path)

    assert len(asyncio.run(main()).succeeded) == 6
    assert waited["__init__"] == 1
    assert waited["intend"] == 3
    assert 1 <= waited["settle"] <= 3


def test_the_event_loop_goes_on_while_many_inputs_are_known(path: Path) -> None:
    """A resumed run does not keep it from other tasks."""
    rows = [*map(call, range(2000))]

    async def main() -> int:
        ticks = 0
        async with AsyncHubSpotBatch("t", transport=SandboxTransport(quiet())) as client:
            await client.calls.create(rows, journal=path)
            task = asyncio.create_task(client.calls.create(rows, journal=path))
            while not task.done():
                await asyncio.sleep(0)
                ticks += 1
            assert len((await task).succeeded) == 2000
        return ticks

    assert asyncio.run(main()) >= 20


def echo(request: httpx.Request) -> httpx.Response:
    """Create what is asked for, and remember nothing."""
    inputs = json.loads(request.content)["inputs"]
    results = [
        {"id": str(number), "properties": one["properties"], "objectWriteTraceId": one[TRACE_ID]}
        for number, one in enumerate(inputs)
    ]
    return httpx.Response(201, json={"status": "COMPLETE", "results": results})


def test_memory_does_not_grow_with_the_inputs(tmp_path: Path) -> None:
    """Neither in the first run nor in the next one, which finds all inputs in the journal."""

    def peak(count: int) -> tuple[float, float]:
        journal = Journal(tmp_path / str(count))
        transport = httpx.MockTransport(echo)
        peaks = []
        for _ in range(2):
            # Several requests at a time have a peak that differs from run to run.
            with HubSpotBatch(
                "t", transport=transport, rate_limit=None, max_concurrency=1
            ) as client:
                gc.collect()
                tracemalloc.start()
                outcomes = client.calls.create_iter(map(call, range(count)), journal=journal)
                assert sum(one.result is not None for one in outcomes) == count
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
        return peaks[0], peaks[1]

    peak(200)  # what is imported and compiled late
    few, many = peak(1000), peak(4000)
    # An input that is kept takes 1,000 bytes. The pace of the garbage collector accounts for some.
    assert many[0] - few[0] < 3000 * 100
    assert many[1] - few[1] < 3000 * 100


@pytest.mark.parametrize("kind", ["intended", "settled"])
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xc1", b"\x90", b"\x91\xa1x", b"\x92\xc0\xc0"),
        msgspec.msgpack.encode([("done", b"{}", None, None, None)] * 3),
        msgspec.msgpack.encode((1.0, [None])),
    ],
    ids=repr,
)
def test_a_damaged_entry(make_client: ClientFactory, path: Path, kind: str, content: bytes) -> None:
    """None of the inputs is called unsent, and nothing is sent."""
    sandbox = quiet()
    rows = [*map(call, range(3))]
    make_client(transport=sandbox).calls.create(rows, journal=path)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE entries SET content = ? WHERE kind = ?", (content, kind))
    other.close()
    count = len(sandbox.requests)
    with pytest.raises(JournalError, match="is damaged") as caught:
        make_client(transport=sandbox).calls.create(rows, journal=path)
    assert len(sandbox.requests) == count
    assert len(caught.value.result.unknown) == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("odd", ["1e999", "-0", '"\\ud800"', f"{2**70}", '"a", "x": "b"', "null"])
def test_results_come_back_as_the_server_wrote_them(
    make_client: ClientFactory, new_journal: NewJournal, odd: str
) -> None:
    """Also where only Python's parser reads the response."""
    rows = [*map(call, range(3))]

    def answer(request: httpx.Request) -> httpx.Response:
        inputs = json.loads(request.content)["inputs"]
        results = ",".join(
            f'{{"objectWriteTraceId": "{one[TRACE_ID]}", "id": "{number}", "archived": false,'
            f'"createdAt": "2026-01-31T09:30:00.5Z", "properties": {{"x": {odd}}}}}'
            for number, one in enumerate(inputs)
        )
        return httpx.Response(201, text=f'{{"status": "COMPLETE", "results": [{results}]}}')

    client = make_client(transport=httpx.MockTransport(answer))
    first = client.calls.create(rows, journal=new_journal())
    assert len(first.succeeded) == 3
    again = client.calls.create(rows, journal=new_journal())
    assert [one.result for one in again] == [one.result for one in first]
    assert [one.result.id for one in again] == ["0", "1", "2"]


def test_a_journal_has_no_token(make_client: ClientFactory, path: Path) -> None:
    """Neither its head nor an outcome, also where the server repeats it."""
    sandbox = quiet(faults=script(["expired_token", None, "conflict", "reset_after"]))
    rows = [*map(call, range(4))]
    client = make_client(SECRET, transport=sandbox, max_concurrency=1)
    with pytest.raises(HubSpotBatchError):
        client.calls.create(rows, chunk_size=2, journal=path)
    client.calls.create(rows, chunk_size=2, journal=path)
    assert SECRET.encode() not in path.read_bytes()
    assert b"create_calls" in path.read_bytes()
