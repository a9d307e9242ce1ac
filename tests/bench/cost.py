"""The CPU time of a batch, beside plain httpx with json that does the same untyped.

Each contestant is a process of its own, as is the server. All take their turns in each round,
in an order that changes, and a ratio is one of figures of the same round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from attrs import frozen
from hubspot_batch_client.contract import OPERATIONS

from bench import server, throughput
from bench.pairs import Spread
from bench.rows import PEERS_PYTHON, Row

# Many short turns: a machine that others use changes its pace from one second to the next.
ROUNDS = 61
# A contestant's batches in a round.
TIMES = 30
FEWEST = 15  # pairs, below which a ratio says nothing
PLAIN, PLAIN_ASYNC = "httpx", "httpx, async"
OURS: tuple[tuple[str, str, float | None], ...] = (
    ("function", PLAIN, 1.0),
    ("client", PLAIN, 1.3),
    ("client, in one thread", PLAIN, None),
    ("function, async", PLAIN_ASYNC, 1.0),
    ("client, async", PLAIN_ASYNC, 1.3),
)
# A read answers each input with a large record.
READS = 1.4
# Clients of HubSpot's own, and how often ours are to be cheaper: the function, which does what they
# do, and the client, which is given the rows of a file as they are.
PEERS = ("hubspot-sdk", "hubspot-api-client")
FROM_ROWS = "client, from rows"
BESIDE_PEERS = ("function", FROM_ROWS)
CHEAPER = 15.0
# What sends with httpx, and looks at what it gets, is hardly cheaper than this.
FASTEST = "httpx with orjson"

_EVENTS = [
    {
        "objectId": id_,
        "eventName": f"Webinar {id_}",
        "customProperties": [
            {"name": f"custom_{one}", "value": f"value {one} of {id_}"} for one in range(10)
        ],
    }
    for id_ in server.EVENTS
]
INPUTS: dict[str, list[dict[str, Any]]] = {
    "create_calls": throughput.CHUNKS[0],
    "read_campaigns": [{"id": id_} for id_ in server.CAMPAIGNS],
    "update_marketing_events": _EVENTS,
}


@frozen
class Contestant:
    """A contestant's process."""

    name: str
    process: subprocess.Popen[str]

    def cpu(self, times: int) -> float:
        """Return the CPU seconds that it takes to send the batch so often."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(times, file=self.process.stdin, flush=True)
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError(f"{self.name} gave up")
        return float(said)


@contextmanager
def contestant(name: str, work: dict[str, Any], python: str) -> Iterator[Contestant]:
    """Let a contestant wait for its turns while the block runs."""
    command = [python, str(Path(__file__).with_name("contestant.py")), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        print(json.dumps(work), file=process.stdin, flush=True)
        yield Contestant(name, process)
        process.stdin.close()


def compete(
    operation: str, names: tuple[str, ...], rounds: int, times: int = TIMES
) -> dict[str, list[float]]:
    """Return the CPU seconds of a batch, by contestant and round.

    Args:
        operation: What is sent.
        names: Who sends it.
        rounds: How many turns each has.
        times: Batches in a turn; HubSpot's own clients, which take long, send a tenth.
    """
    inputs = INPUTS[operation]
    with ExitStack() as stack:
        url = stack.enter_context(server.running())
        work = {"url": url, "operation": operation, "inputs": inputs}
        work["path"] = OPERATIONS[operation].path
        all_ = []
        for name in names:
            python = str(PEERS_PYTHON) if name in PEERS else sys.executable
            all_.append(stack.enter_context(contestant(name, work, python)))
        for one in all_:
            one.cpu(3)  # what is imported and connected late is not counted
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for number in range(rounds):
            for one in all_[number % len(all_) :] + all_[: number % len(all_)]:
                count = times // 10 if one.name in PEERS else times
                seconds[one.name].append(one.cpu(count) / count)
        return seconds


def ratio(ours: list[float], theirs: list[float]) -> Spread:
    """Return how the figures of the same rounds compare; refuse to where there are too few."""
    if len(ours) < FEWEST:
        raise ValueError(f"a ratio of {len(ours)} pairs says nothing; there must be {FEWEST}")
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


def measure() -> Iterator[Row]:
    """Yield a row for each operation and contestant."""
    names = (PLAIN, PLAIN_ASYNC, *(name for name, _, _ in OURS))
    for operation in INPUTS:
        calls = operation == "create_calls"
        others = (FROM_ROWS, FASTEST, *PEERS) if calls else ()
        seconds = compete(operation, (*names, *others), ROUNDS)
        for name, base, most in OURS:
            reads = most is not None and most > 1.0 and operation.startswith("read_")
            yield _beside(operation, name, base, seconds, most=READS if reads else most)
        for other in others:
            yield _beside(operation, other, PLAIN, seconds)
        for peer in PEERS if calls else ():
            floor = ratio(seconds[peer], seconds[FASTEST]).median
            for ours in BESIDE_PEERS:
                yield _beside(operation, peer, ours, seconds, least=CHEAPER, floor=floor)


def _beside(
    operation: str,
    name: str,
    base: str,
    seconds: dict[str, list[float]],
    *,
    least: float | None = None,
    most: float | None = None,
    floor: float | None = None,
) -> Row:
    found = ratio(seconds[name], seconds[base])
    figures = f"{_milliseconds(seconds[name])} of {_milliseconds(seconds[base])}"
    if floor is not None:
        figures += f"; to {FASTEST} {floor:.3g}"
    return Row(
        f"{operation}: {name}, to {base}",
        found.median,
        "x",
        least=least,
        most=most,
        floor=floor,
        noise=f"{found}; {figures}",
    )


def _milliseconds(seconds: list[float]) -> str:
    return f"{1000 * median(seconds):.2f} ms"
