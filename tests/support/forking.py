"""Programs that fork while they use a client; `test_forks.py` runs each in a process of its own.

Each child says what it got on standard output, one JSON line, and ends without Python's end: it
must not end what belongs to its parent. The last line is the parent's.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import httpx
from hubspot_batch import (
    AsyncHubSpotBatch,
    ConfigurationError,
    HubSpotBatch,
    HubSpotBatchError,
    result_of,
)
from hubspot_batch_client.api.calls import create_calls
from hubspot_batch_client.models import CallBatch, CallBatchInput, CallInput

warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of a fork beside threads
PATIENCE = 15  # seconds after which a child that hangs is ended, with its frames shown

URL = os.environ.get("FORKING_URL", "http://127.0.0.1:9")
KIND = os.environ.get("FORKING_KIND", "sync")
CLIENTS: dict[str, Any] = {"sync": HubSpotBatch, "async": AsyncHubSpotBatch}


def new_client(**arguments: Any) -> Any:
    """A client whose token is asked for, so that there is a lock for that too."""
    made: dict[str, Any] = {"rate_limit": None, "max_concurrency": 4, "timeout": 20, **arguments}
    return CLIENTS[KIND](lambda: "made-up", base_url=URL, **made)


client: Any = new_client()


def rows(name: str, count: int) -> list[dict[str, Any]]:
    """Calls whose titles say who created them."""
    when = {"hs_timestamp": "2026-01-31T09:30:00Z"}
    return [{"properties": {**when, "hs_call_title": f"{name} {n}"}} for n in range(count)]


def finish(made: Any) -> Any:
    """The value, in an event loop of its own if it has to be awaited."""

    async def main() -> Any:
        return await made

    return asyncio.run(main()) if KIND == "async" else made


def create(name: str, count: int = 5) -> dict[str, Any]:
    """Create calls, one in a request, and compare what comes back with what was sent."""
    result = finish(client.calls.create(rows(name, count), chunk_size=1))
    titles = [o.result and o.result.properties["hs_call_title"] for o in result.outcomes]
    return {
        "who": name,
        "done": [outcome.status.value for outcome in result.outcomes],
        "own": titles == [f"{name} {n}" for n in range(count)],
        "ids": [outcome.result.id for outcome in result.succeeded],
    }


def say(what: dict[str, Any]) -> None:
    """Say it in one piece: several processes write to the same place."""
    os.write(1, json.dumps(what).encode() + b"\n")


def child(work: Callable[[], dict[str, Any]]) -> int:
    """Fork; the child does some work, says what it got, and ends. Gives its id."""
    pid = os.fork()
    if pid:
        return pid
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        say(work())
    except BaseException as error:  # noqa: BLE001 - it is said
        say(said(error))
    os._exit(0)


def said(error: BaseException) -> dict[str, Any]:
    """An exception, as a child says it."""
    known = isinstance(error, HubSpotBatchError)
    return {"raised": type(error).__name__, "words": str(error) if known else repr(error)}


def wait_for(*pids: int) -> None:
    """Wait until children have ended well."""
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0, "a child did not end well"


def busy(threads: int, until: threading.Event, found: list[dict[str, Any]]) -> Callable[[], None]:
    """Create calls in threads until something is set; gives what waits for their end."""

    def work(name: str) -> None:
        number = 0
        while not until.is_set():
            found.append(create(f"{name}.{number}", 2))
            number += 1

    started = [threading.Thread(target=work, args=(f"parent {n}",)) for n in range(threads)]
    for thread in started:
        thread.start()
    return lambda: [thread.join() for thread in started] and None


# ---------------------------------------------------------------- the programs


def preloading_server() -> None:
    """The parent uses the client, forks workers, and all go on at the same time."""
    say(create("before"))
    pids = [child(lambda n=n: create(f"worker {n}", 20)) for n in range(4)]  # type: ignore[misc]
    say(create("parent", 20))
    wait_for(*pids)
    say(create("after"))


def under_way() -> None:
    """The parent's requests are under way at the fork, and all its places are taken."""
    until, found = threading.Event(), list[dict[str, Any]]()
    join = busy(6, until, found)
    try:
        while len(found) < 6:
            time.sleep(0.01)
        chance = random.Random(5)
        for number in range(20):
            time.sleep(chance.random() * 0.02)
            wait_for(child(lambda n=number: create(f"child {n}", 2)))  # type: ignore[misc]
    finally:
        until.set()
        join()
    for one in found:
        say(one)


def first_run() -> None:
    """The parent's first run imports and compiles at the fork."""
    found: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: found.append(create("parent", 3)))
    thread.start()
    time.sleep(float(os.environ["FORKING_AFTER"]))
    wait_for(child(lambda: create("child", 3)))
    thread.join()
    say(found[0])


def in_process(name: str) -> dict[str, Any]:
    """Use the module's client in a worker of `multiprocessing`."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    got = create(name)
    faulthandler.cancel_dump_traceback_later()
    return got


def pool(start: str) -> None:
    """Workers of a `ProcessPoolExecutor` use the client of a module, and so does the parent."""
    say(create("before"))
    context = multiprocessing.get_context(start)
    if start == "forkserver":
        context.set_forkserver_preload(["forking_preloaded"])
    with ProcessPoolExecutor(3, mp_context=context) as executor:
        jobs = [executor.submit(in_process, f"job {n}") for n in range(6)]
        say(create("parent"))
        for job in jobs:
            say(job.result())
    say(create("after"))


def raw() -> None:
    """The generated functions send through the same client."""

    def send(name: str) -> dict[str, Any]:
        given = rows(name, 1)[0]["properties"]
        body = CallBatchInput(inputs=[CallInput(properties=given)])
        how: Any = create_calls.sync if KIND == "sync" else create_calls.asyncio
        got = finish(how(client=client.raw, body=body))
        assert isinstance(got, CallBatch)
        titles = [one.properties["hs_call_title"] for one in got.results]
        return {
            "who": name,
            "done": ["succeeded"] * len(titles),
            "own": titles == [f"{name} 0"],
            "ids": [one.id for one in got.results],
        }

    say(send("before"))
    pids = [child(lambda n=n: send(f"child {n}")) for n in range(3)]  # type: ignore[misc]
    say(send("parent"))
    wait_for(*pids)
    say(send("after"))


def child_closes() -> None:
    """A connection that a child closes stays open in the parent, and closed ones stay closed."""

    def close() -> dict[str, Any]:
        finish(client.close()) if KIND == "async" else client.close()
        try:
            return create("closed")
        except ConfigurationError as error:
            return said(error)

    say(create("before"))
    wait_for(child(close))
    say(create("after"))


def fork_here() -> int:
    """Fork, and go on with the same code in both processes."""
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
    return pid


def end_here(pid: int, error: BaseException | None, *, outcomes: bool) -> None:
    """End a child, which says what it got; in the parent, wait for it."""
    if pid:
        assert error is None, error
        wait_for(pid)
        return
    say({"outcomes": outcomes, **({} if error is None else said(error))})
    os._exit(0)


def copied_run() -> None:
    """A child goes on to read the inputs of its parent's run."""
    pid, error = 0, None
    statuses: list[str] = []

    def forking_rows() -> Iterator[dict[str, Any]]:
        nonlocal pid
        for number, row in enumerate(rows("parent", 12)):
            if number == 6:
                pid = fork_here()
            yield row

    try:
        result = finish(client.calls.create(forking_rows(), chunk_size=2))
        statuses = [outcome.status.value for outcome in result.outcomes]
    except ConfigurationError as raised:
        error = raised
    end_here(pid, error, outcomes=error is not None and result_of(error) is not None)
    say({"who": "parent", "done": statuses, "own": True, "ids": []})


def copied_iterator() -> None:
    """A child takes from its parent's iterator, and leaves its block."""
    pid, error = 0, None
    told: list[str] = []

    async def iterate(outcomes: Any) -> None:
        nonlocal pid
        async with outcomes:
            async for outcome in outcomes:
                told.append(outcome.status.value)
                if len(told) == 3:
                    pid = fork_here()

    outcomes = client.calls.create_iter(iter(rows("parent", 12)), chunk_size=1)
    try:
        if KIND == "async":
            asyncio.run(iterate(outcomes))
        else:
            with outcomes:
                for outcome in outcomes:
                    told.append(outcome.status.value)
                    if len(told) == 3:
                        pid = fork_here()
    except ConfigurationError as raised:
        error = raised
    end_here(pid, error, outcomes=outcomes.result is not None)
    say({"who": "parent", "done": told, "own": True, "ids": []})


def given_transport() -> None:
    """A child cannot tell what a transport of the caller's holds."""
    kinds: dict[str, Any] = {"sync": httpx.HTTPTransport, "async": httpx.AsyncHTTPTransport}
    globals()["client"] = new_client(transport=kinds[KIND]())
    if KIND == "sync":
        say(create("before"))
    wait_for(child(lambda: create("child")))
    say(create("after"))


def ctrl_c() -> None:
    """A child of a thread, forked while the main thread defers Ctrl-C, can be interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> dict[str, Any]:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            return {"interrupted": True}
        return {"interrupted": False}

    def beside() -> None:
        time.sleep(0.05)
        wait_for(child(interrupt))
        until.set()

    until = threading.Event()

    def endless() -> Iterator[dict[str, Any]]:
        while not until.is_set():
            yield from rows("parent", 2)

    thread = threading.Thread(target=beside)
    thread.start()
    result = client.calls.create(endless(), chunk_size=2)
    thread.join()
    statuses = [outcome.status.value for outcome in result.outcomes]
    say({"who": "parent", "done": statuses, "own": True, "ids": []})


def in_a_coroutine() -> None:
    """The parent forks while its event loop runs, with requests under way."""

    async def main() -> int:
        running = asyncio.create_task(client.calls.create(rows("parent", 40), chunk_size=1))
        await asyncio.sleep(0.03)
        pid = child(lambda: create("child"))
        result = await running
        statuses = [outcome.status.value for outcome in result.outcomes]
        say({"who": "parent", "done": statuses, "own": True, "ids": []})
        return pid

    wait_for(asyncio.run(main()))


if __name__ == "__main__":
    program, *arguments = sys.argv[1:]
    globals()[program](*arguments)
