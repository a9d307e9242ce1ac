"""The time before the first request: imports, the memory of results, and generating anew.

Each run is a process of its own; CPU time and memory are those of the whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from bench.pairs import Spread, take_turns
from bench.rows import Row

PAIRS = 15
ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "generator" / "bin"
BUNDLE = ROOT / "openapi" / "openapi.yaml"

_CLIENT = "from hubspot_batch import HubSpotBatch; HubSpotBatch('token')"
_HTTPX = "import httpx; httpx.Client()"
_MODELS = "import {0}.models as models; [getattr(models, name) for name in models.__all__]"

# A response of 100 calls that all differ.
_ANSWER = """
import json
def answer(first):
    at = "2026-01-31T09:30:00.%03dZ"
    made = {"status": "COMPLETE", "startedAt": at % 0, "completedAt": at % 1}
    made["results"] = [
        {
            "id": str(51_000_000_000 + number),
            "properties": {
                "hs_timestamp": "2026-01-31T09:30:00Z",
                "hs_call_title": f"Call {number}",
                "hs_call_body": f"They want to know more about renewal {number}.",
                "hs_call_duration": str(360_000 + number),
                "hs_call_status": "COMPLETED",
                "hs_object_id": str(51_000_000_000 + number),
            },
            "createdAt": at % (number % 1000), "updatedAt": at % (number % 1000),
            "archived": False, "objectWriteTraceId": f"call-{number}",
        }
        for number in range(first, first + 100)
    ]
    return json.dumps(made).encode()
"""
_HOLD = """
import gc, resource, sys
def resident():
    gc.collect()
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()
held = [read(answer(0))]
before = resident()
held += [read(answer(first)) for first in range(100, 100_100, 100)]
print(resident() - before)
"""
_DICTS = "read = lambda body: json.loads(body)['results']"
_RESULTS = """
import httpx
from hubspot_batch_client.api.calls.create_calls import _build_response
read = lambda body: _build_response(httpx.Response(201, content=body)).parsed.results
"""


def cpu(*command: str) -> float:
    """Return the CPU seconds of a process, whose output is not wanted."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def seconds(*command: str, cwd: Path) -> float:
    """Return how long a command takes."""
    # The generator formats what it wrote with a ruff that it finds.
    environment = os.environ | {"PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]])}
    begun = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _run(script: str) -> Callable[[], float]:
    return lambda: cpu(sys.executable, "-c", script)


def link_run_time(folder: Path) -> None:
    """Link what the project needs at run time into a folder, and nothing else.

    Where `rich` and `click` are installed, httpx imports them for its own command line.
    """
    wanted, seen = ["hubspot-batch"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        for file in found.files or ():
            first = file.parts[0]
            if first != ".." and name != "hubspot-batch" and not (folder / first).exists():
                (folder / first).symlink_to(Path(str(found.locate_file(first))))
        needs = [Requirement(text) for text in found.requires or ()]
        wanted += [one.name for one in needs if one.marker is None or one.marker.evaluate()]
    for package in ("overrides/hubspot_batch", "generated/hubspot_batch_client"):
        (folder / Path(package).name).symlink_to(ROOT / package)


def _alone(folder: str, script: str) -> Callable[[], float]:
    """Run a script without the packages of the environment, except those of a folder."""
    found = f"import sys; sys.path.append({folder!r}); "
    return lambda: cpu(sys.executable, "-I", "-S", "-c", found + script)


def _held(script: str) -> Callable[[], float]:
    def run() -> float:
        command = [sys.executable, "-c", _ANSWER + script + _HOLD]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return run


def measure() -> Iterator[Row]:
    """Yield a row for each goal."""
    with TemporaryDirectory() as folder:
        link_run_time(Path(folder))
        ours, theirs = _alone(folder, _CLIENT), _alone(folder, _HTTPX)
        yield ratio_row("import and a client, to httpx", ours, theirs, 1.25, 1000, "ms")
    with TemporaryDirectory() as folder:
        stock = Path(folder) / "stock"
        bare = [
            str(TOOLS / "openapi-python-client"),
            "generate",
            "--path",
            str(BUNDLE),
            "--meta",
            "none",
        ]
        bare += ["--overwrite", "--output-path", str(stock)]
        seconds(*bare, cwd=Path(folder))
        find = f"import sys; sys.path.insert(0, {folder!r}); "
        yield ratio_row(
            "import of all models, to the stock generator's",
            _run(_MODELS.format("hubspot_batch_client")),
            _run(find + _MODELS.format("stock")),
            *(0.5, 1000, "ms"),
        )
        yield ratio_row(
            "make regenerate, to the bare generator",
            lambda: seconds("make", "regenerate", cwd=ROOT),
            lambda: seconds(*bare, cwd=Path(folder)),
            *(1.5, 1, "s"),
        )
    yield ratio_row("100,000 results, to dicts", _held(_RESULTS), _held(_DICTS), 1.2, 1e-6, "MB")


def ratio_row(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    most: float,
    scale: float,
    unit: str,
) -> Row:
    """Return a row that compares two figures of runs that take turns."""
    pairs = take_turns(ours, theirs, PAIRS)
    found = Spread.of([one / other for one, other in pairs])
    figures = (Spread.of([scale * pair[which] for pair in pairs]).median for which in (0, 1))
    remarks = f"{found}; {len(pairs)} pairs; " + " of ".join(f"{one:.3g} {unit}" for one in figures)
    return Row(name, found.median, "x", most=most, noise=remarks)
