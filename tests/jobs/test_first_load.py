"""The way of a person with an export of Aircall, from the file to the last mended row."""

from __future__ import annotations

import re
import shlex
import signal
import time
from pathlib import Path

from attrs import evolve
from hubspot_batch.sandbox import FAULTS, Sandbox, script, served
from job_files import outcomes, process, run, statuses, wait_until

HEADINGS = (
    "line,datetime (tz offset incl.),number timezone,datetime (utc),country_code,direction,from,to,"
    "answered,missed_call_reason,user,duration (total),duration (in call),voicemail,recording,"
    "comments,tags"
)
COUNT = 1200
BAD = {7: "not a time", 611: ""}


def export(folder: Path) -> Path:
    """Write an export with two bad times; each call has a comment of its own."""
    rows = [HEADINGS]
    for at in range(COUNT):
        moment = BAD.get(at, f"2026-05-{at % 28 + 1:02d} {at % 24:02d}:10:00")
        rows.append(
            f"Sales,2026-05-04 12:10:00,Europe/Paris,{moment},FR,outbound,+33 1 55 50 01 00,"
            f'+33 1 55 50 {at:04d},Yes,,Ann,65,60,,,"Call {at}, noted",'
        )
    path = folder / "aircall.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_from_the_export_to_the_last_row(tmp_path: Path) -> None:
    """Mapping, plan, load, kill, resume, mended rejects: nothing is lost, and nothing is twice."""
    path, mapping = export(tmp_path), tmp_path / "aircall.toml"
    folder = tmp_path / "aircall.csv.hubspot"
    delay = evolve(FAULTS["delay"], delay=0.4)
    sandbox = Sandbox(faults=script([*[None] * 2, *[delay] * 8]), rate_limit=None)

    proposed = run("mapping", str(path))
    assert proposed.returncode == 0, proposed.stderr
    mapping.write_text(proposed.stdout, "utf-8")

    with served(sandbox) as url:
        load = ["calls", "create", str(path), "--map", str(mapping), "--base-url", url]
        plan = run(*load, "--plan")
        assert plan.returncode == 0, plan.stderr
        assert f"{COUNT:,} rows, 2 invalid" in plan.stdout
        assert not sandbox.requests
        (digest,) = re.findall("Digest: ([0-9a-f]+)", plan.stdout)

        with process(*load, "--expect", digest) as made:
            wait_until(
                lambda: len(sandbox.requests) >= 6 and (folder / "outcomes.jsonl").exists(), made
            )
            made.send_signal(signal.SIGKILL)
            made.wait()
        assert len(outcomes(folder)) < COUNT
        time.sleep(0.6)  # until the requests that were cut off are done

        refused = run(*load)
        assert refused.returncode == 2
        (command,) = re.findall(r"^ +hubspot-batch (.*--resume)$", refused.stderr, re.MULTILINE)
        resumed = run(*shlex.split(command))
        assert resumed.returncode == 1, resumed.stderr
        found = statuses(folder)
        assert len(found) == COUNT
        assert found.count("failed") == 2
        assert found.count("succeeded") + found.count("unknown") == COUNT - 2

        rejects = folder / "rejects.csv"
        lines = rejects.read_text("utf-8").splitlines()
        assert lines[0] == f"{HEADINGS},_status,_error,_line"
        assert [line.rpartition(",")[2] for line in lines[1:]] == ["9", "613"]
        text = rejects.read_text("utf-8").replace("not a time", "2026-05-04 10:10:00")
        rejects.write_text(text.replace("Europe/Paris,,FR", "Europe/Paris,2026-05-05 10:00:00,FR"))
        mended = run("calls", "create", str(rejects), "--map", str(mapping), "--base-url", url)
        assert mended.returncode == 0, mended.stderr

    # Requests that the kill cut off were done or not, which only HubSpot knows; their rows are
    # unknown. All others are there, and nothing is there twice.
    held = [record.properties["hs_call_body"] for record in sandbox.records("calls")]
    assert len(held) == len({*held})
    found = [one for one in outcomes(folder) if one["status"] == "unknown"]
    unknown = {f"Call {one['index']}, noted" for one in found}
    assert {f"Call {at}, noted" for at in range(COUNT)} - {*held} <= unknown
