"""How many instructions a batch takes, beside plain httpx with json: a guard, where times vary.

valgrind's callgrind counts the instructions of a process, whatever else the machine does. The
answers are fixed and come from memory, so that nothing but the client and its libraries is counted.
Figures are ratios, and are kept for each version of Python, whose interpreters differ:
`make instructions` writes them anew.
"""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TESTS = Path(__file__).parents[1]
FIGURES = Path(__file__).with_suffix(".json")
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PLAIN = "httpx"
NAMES = (PLAIN, "function", "client")
WARM_UP = 4  # the interpreter adapts code to what it meets
TIMES = 5
# A function of the C library that Python calls for nothing else: callgrind begins to count anew.
_MARK = "getpriority"


def count() -> dict[str, float]:
    """Return the instructions of each contestant's batch, as shares of those of plain httpx.

    Raises:
        RuntimeError: It could not be counted.
    """
    with TemporaryDirectory() as folder:
        command = [
            *("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"),
            *(f"--dump-before={_MARK}", sys.executable, str(Path(__file__)), "work"),
        ]
        # Sets and dicts of texts are laid out alike each time, and nothing that the caller has set
        # up, such as the measuring of coverage, counts.
        environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"callgrind ended with {done.returncode}: {done.stderr[-2000:]}")
        jobs: list[tuple[str, str]] = json.loads(done.stdout)
        # The first part is what came before the first job.
        totals = [_total(Path(folder) / f"out.{number}") for number in range(2, len(jobs) + 2)]
    found = {(operation, name): n for (operation, name), n in zip(jobs, totals, strict=True)}
    return {
        f"{operation}: {name}": round(instructions / found[operation, PLAIN], 3)
        for (operation, name), instructions in found.items()
        if name != PLAIN
    }


def _total(part: Path) -> int:
    found = re.search(r"^totals: (\d+)", part.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{part.name} of callgrind has no total")
    return int(found[1])


def work() -> None:
    """Do what is counted, each job behind a mark of its own, and print the names of the jobs."""
    jobs = [job for operation in _inputs() for job in _jobs(operation)]
    for _ in range(WARM_UP):
        for _, _, call in jobs:
            call()
    gc.collect()
    gc.disable()  # what is collected depends on what was made before
    for _, _, call in jobs:
        os.getpriority(os.PRIO_PROCESS, 0)
        for _ in range(TIMES):
            call()
    os.getpriority(os.PRIO_PROCESS, 0)
    print(json.dumps([(operation, name) for operation, name, _ in jobs]))


def _inputs() -> dict[str, list[dict[str, Any]]]:
    from bench.cost import INPUTS

    return INPUTS


def _jobs(operation: str) -> list[tuple[str, str, Callable[[], object]]]:
    import httpx
    from hubspot_batch.sandbox import SandboxTransport
    from hubspot_batch_client.contract import OPERATIONS

    from bench import server
    from bench.contestant import CONTESTANTS

    described = OPERATIONS[operation]
    body = {"inputs": _inputs()[operation]}
    sandbox = server.filled(clock=lambda: 0.0)
    with httpx.Client(transport=SandboxTransport(sandbox), base_url="http://127.0.0.1") as http:
        authorization = {"Authorization": "Bearer token"}
        asked = http.request(described.method, described.path, json=body, headers=authorization)
    asked.raise_for_status()
    status, content = asked.status_code, asked.content

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content)

    work = {"url": "http://127.0.0.1", "operation": operation, "path": described.path, **body}
    work["transport"] = httpx.MockTransport(answer)
    return [(operation, name, CONTESTANTS[name](work)) for name in NAMES]


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    if sys.argv[1:] == ["work"]:
        work()
    else:
        kept = json.loads(FIGURES.read_text("utf-8")) if FIGURES.is_file() else {}
        kept[VERSION] = count()
        FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
        print(json.dumps(kept[VERSION], indent=1))
