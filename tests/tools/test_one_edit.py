"""A documentation change is one edit of a fragment, and no line of Python.

Each is made in a copy of the project, of which only fragments (and the pages that they name) are
changed; then a program of a user's runs against what is generated there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import captures
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONTACTS = ROOT / "tests" / "contacts"
OVERRIDES = ROOT / "overrides"


class Copy:
    """A copy of what is written by hand about the API, with what is generated from it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        shutil.copytree(ROOT / "openapi", home / "openapi")
        for name in ("generator-config.yaml", "pyproject.toml"):
            shutil.copy(ROOT / name, home / name)
        # The handwritten package is the project's own, so nothing of it can be changed.
        (home / "overrides").symlink_to(OVERRIDES)

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace texts of a fragment, each by another, wherever they stand."""
        fragment = self.home / "openapi" / "fragments" / f"{name}.yaml"
        text = fragment.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        fragment.write_text(text, encoding="utf-8")

    def regenerate(self) -> str:
        """Make the client anew; it ends well only if the overrides fit what was made."""
        return run(self.command)

    @property
    def command(self) -> list[str | Path]:
        default = ROOT / ".venv" / "generator" / "bin" / "openapi-python-client"
        generator = os.environ.get("HUBSPOT_BATCH_GENERATOR", str(default))
        tool = ROOT / "openapi" / "tools" / "regenerate.py"
        arguments = ["--project", str(self.home), "--generator", generator]
        return [sys.executable, tool, *arguments]

    @property
    def paths(self) -> str:
        """Where the copy's packages are, for other processes."""
        helpers = ROOT / "tests" / "support"
        return os.pathsep.join(
            map(str, (self.home / "generated", OVERRIDES, ROOT / "tests", helpers))
        )

    def program(self, text: str) -> Any:
        """Run a program in a process of its own; returns the JSON that it prints."""
        script = textwrap.dedent(text)
        environment = {**os.environ, "PYTHONPATH": self.paths}
        return json.loads(run([sys.executable, "-W", "error", "-c", script], env=environment))


def run(command: Sequence[str | Path], **how: Any) -> str:
    """Run a command that has to end well, and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Copy]:
    """Make a copy."""
    return lambda: Copy(tmp_path_factory.mktemp("copy") / "project")


TRACE_ID = "        objectWriteTraceId:\n          type: string\n"
URL = "        url:\n          type: [string, 'null']\n"
TOPIC = "        callTopic:\n          type: string\n          description: What it was about.\n"
QUERY = "        - $ref: '#/components/parameters/MetricsTo'\n"
PARAMETERS = """        - name: archived
          in: query
          x-source: read_campaigns
          schema:
            type: boolean
            description: Whether deleted campaigns are read.
        - name: changedAfter
          in: query
          x-source: read_campaigns
          schema:
            type: string
            format: date
            description: The day since which a campaign was changed.
"""


@pytest.fixture(scope="module")
def edited(copied: Callable[[], Copy]) -> Copy:
    """A limit, a field, an enum value, two query parameters and a new family, each one edit."""
    copy = copied()
    copy.edit("campaigns", ("maxItems: 50", "maxItems: 25"), (QUERY, QUERY + PARAMETERS))
    copy.edit(
        "calls",
        *((TRACE_ID, TOPIC + TRACE_ID), (URL, TOPIC + URL)),
        ("USER_DEFINED, WORK]", "USER_DEFINED, WORK, MADE_UP]"),
    )
    shutil.copy(CONTACTS / "contacts.yaml", copy.home / "openapi" / "fragments")
    for page in (CONTACTS / "pages").glob("*.yaml"):
        shutil.copy(page, copy.home / "openapi" / "pages")
    copy.regenerate()
    return copy


def test_a_new_limit_changes_chunks_sandbox_and_docstring(edited: Copy) -> None:
    """50 to 25 for campaigns: requests are smaller, and the sandbox refuses larger ones."""
    found = edited.program(
        """
        import inspect, json
        import httpx
        from hubspot_batch import AsyncHubSpotBatch, ConfigurationError, HubSpotBatch
        from hubspot_batch.sandbox import Sandbox, SandboxTransport

        sandbox = Sandbox()
        rows = [{"properties": {"hs_name": str(n)}} for n in range(60)]
        with HubSpotBatch("token", transport=SandboxTransport(sandbox)) as hubspot:
            done = len(hubspot.campaigns.create(rows).succeeded)
            sizes = [entry.inputs for entry in sandbox.requests]
            try:
                refused = hubspot.campaigns.create(rows, chunk_size=26)
            except ConfigurationError as error:
                refused = str(error)
            doc = inspect.getdoc(hubspot.campaigns.create)
            http = hubspot.raw.get_httpx_client()
            path = "/marketing/v3/campaigns/batch/create"
            answers = [http.post(path, json={"inputs": rows[:n]}).json() for n in (25, 26)]
        print(json.dumps([done, sizes, refused, doc, answers[0]["status"], answers[1]["message"]]))
        """
    )
    done, sizes, refused, doc, taken, message = found
    # Requests go side by side, so any of them can arrive first.
    assert (done, sorted(sizes)) == (60, [10, 25, 25])
    assert "chunk_size of campaigns.create must be from 1 to 25, or None; got 26" in refused
    assert "chunk_size: Inputs to a request; 25 by default and at most." in doc
    assert taken == "COMPLETE"
    assert "supported in a batch is 25." in message


def test_a_new_field_and_a_new_value_reach_the_clients(edited: Copy) -> None:
    """Mappings and models take them, their types are checked, they are sent and come back."""
    shown = edited.program(
        """
        import json
        from hubspot_batch import HubSpotBatch
        from hubspot_batch.sandbox import Sandbox, SandboxTransport
        from hubspot_batch_client.models import AssociationCategory, CallInput

        sandbox = Sandbox()
        sandbox.add_association_type("calls", "MADE_UP", 1)
        kind = {"associationCategory": "MADE_UP", "associationTypeId": 1}
        noon = "2026-01-31T12:00:00Z"
        rows = [{"properties": {"hs_timestamp": noon, "hs_call_title": str(n)}} for n in range(5)]
        rows[0] |= {"callTopic": "renewal", "associations": [{"to": {"id": "1"}, "types": [kind]}]}
        rows[1] |= {"callTopic": ["renewal"]}
        rows[2] = CallInput(properties=rows[2]["properties"], call_topic="upsell")
        odd = {"associationCategory": "OTHER", "associationTypeId": 1}
        rows[3] |= {"associations": [{"to": {"id": "1"}, "types": [odd]}]}
        with HubSpotBatch("token", transport=SandboxTransport(sandbox)) as hubspot:
            result = hubspot.calls.create(rows)
        outcomes = result.outcomes
        print(json.dumps({
            "member": AssociationCategory("MADE_UP").name,
            "statuses": [outcome.status for outcome in outcomes],
            "topics": [getattr(outcome.result, "call_topic", None) for outcome in outcomes[:3]],
            "stored": [record.fields.get("callTopic") for record in sandbox.records("calls")[:2]],
            "kinds": [record.associations for record in sandbox.records("calls")][0],
            "errors": [outcomes[1].error.message, outcomes[3].error.message],
        }, default=dict))
        """
    )
    assert shown["member"] == "MADE_UP"
    assert shown["statuses"] == ["succeeded", "failed", "succeeded", "failed", "succeeded"]
    assert "callTopic is ['renewal']" in shown["errors"][0]
    assert "MADE_UP" in shown["errors"][1]
    assert shown["topics"] == ["renewal", None, "upsell"]
    assert shown["stored"] == ["renewal", "upsell"]
    assert shown["kinds"][0]["types"][0]["associationCategory"] == "MADE_UP"


def test_a_new_query_parameter_becomes_an_argument(edited: Copy) -> None:
    """It arrives at the server as the API writes it, and what cannot be meant is refused."""
    queries, refused, doc = edited.program(
        """
        import asyncio, inspect, json
        import httpx
        from hubspot_batch import AsyncHubSpotBatch, ConfigurationError, HubSpotBatch
        from hubspot_batch.sandbox import Sandbox, SandboxTransport

        sandbox, queries, refused = Sandbox(), [], []
        known = sandbox.add_campaign("A")

        class Noting(SandboxTransport):
            def handle_request(self, request):
                queries.append(dict(request.url.params))
                return super().handle_request(request)

            async def handle_async_request(self, request):
                queries.append(dict(request.url.params))
                return await super().handle_async_request(request)

        with HubSpotBatch("token", transport=Noting(sandbox)) as hubspot:
            doc = inspect.getdoc(hubspot.campaigns.read)
            hubspot.campaigns.read([known]).raise_for_failures()
            list(hubspot.campaigns.read_iter([known], archived=False))
            for wrong in ({"archived": "yes"}, {"changed_after": "01/02/2026"}):
                try:
                    hubspot.campaigns.read([known], **wrong)
                except ConfigurationError as error:
                    refused.append(str(error))

        async def read():
            async with AsyncHubSpotBatch("token", transport=Noting(sandbox)) as hubspot:
                more = {"archived": True, "changed_after": "31 January 2026"}
                result = await hubspot.campaigns.read([known], properties=["hs_name"], **more)
                result.raise_for_failures()

        asyncio.run(read())
        print(json.dumps([queries, refused, doc]))
        """
    )
    assert queries == [
        {},
        {"archived": "false"},
        {"properties": "hs_name", "archived": "true", "changedAfter": "2026-01-31"},
    ]
    assert refused[0].startswith("archived must be True or False")
    assert refused[1].startswith("changed_after must be a date")
    assert "changed_after: The day since which a campaign was changed." in doc


def test_a_new_family_works(edited: Copy) -> None:
    """Contacts, of which the package knows nothing: created, read, updated and upserted.

    By the generated client, by the clients for threads and for tasks, and in the sandbox.
    """
    command = ["-m", "pytest", "-o", "pythonpath="]
    checks = CONTACTS / "check_contacts.py"
    environment = {**os.environ, "PYTHONPATH": edited.paths}
    printed = run([sys.executable, *command, str(checks)], env=environment, cwd=ROOT)
    assert "100%" in printed


def test_drift_knows_a_new_family(edited: Copy, tmp_path: Path) -> None:
    """Its page says nothing new, a change of it names its fragment, and its facts can be kept."""
    stated = yaml.safe_load((CONTACTS / "pages" / "upsert_contacts.yaml").read_text("utf-8"))
    captured = tmp_path / "contacts.txt"
    tools = edited.home / "openapi" / "tools"
    command = [sys.executable, tools / "drift.py", "--page", captured, "--json"]
    captured.write_text(captures.render(stated, captures.Form()), "utf-8")
    assert json.loads(run(command, cwd=edited.home)) == []
    captured.write_text(captures.render({**stated, "limit": 50}, captures.Form()), "utf-8")
    done = subprocess.run(command, cwd=edited.home, capture_output=True, text=True, check=False)
    (found,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["operation"], found["kind"], found["was"], found["now"]) == (
        "upsert_contacts",
        "limit",
        100,
        50,
    )
    assert found["file"] == "openapi/fragments/contacts.yaml"
    run([sys.executable, tools / "save_page.py", captured], cwd=edited.home)
    kept = edited.home / "openapi" / "pages" / "upsert_contacts.yaml"
    assert yaml.safe_load(kept.read_text("utf-8"))["limit"] == 50


def test_type_checkers_know_what_is_new(edited: Copy, tmp_path: Path) -> None:
    """Arguments and results have exact types, and wrong ones are found."""
    pytest.importorskip("mypy")
    paths = os.pathsep.join((str(edited.home / "generated"), str(OVERRIDES)))
    command = ["-m", "mypy", "--strict", "--follow-imports=silent", "--config-file="]
    cache = ["--cache-dir", str(tmp_path / "cache")]
    run(
        [sys.executable, *command, *cache, str(CONTACTS / "typed.py")],
        env={**os.environ, "MYPYPATH": paths},
        cwd=tmp_path,
    )


# The default is the version whose path stands at the operation; the list of versions stays.
MOVED = {
    "campaigns": ("\n  /marketing/v3/campaigns", "\n  /marketing/campaigns/2026-03"),
    "marketing-events": (
        *("\n  /marketing/v3/marketing-events", "\n  /marketing/marketing-events/2026-03"),
    ),
    "calls": ("\n  /crm/v3/objects/calls", "\n  /crm/objects/2026-03/calls"),
}


def test_all_operations_move_to_other_paths(copied: Callable[[], Copy]) -> None:
    """To those of 2026-03: clients and sandbox follow, and what may be repeated still is.

    The version before is still there for those who ask for it.
    """
    copy = copied()
    for name, change in MOVED.items():
        copy.edit(name, change)
    copy.regenerate()
    paths, statuses = copy.program(
        """
        import asyncio, json
        from hubspot_batch import AsyncHubSpotBatch, HubSpotBatch
        from hubspot_batch.sandbox import FakeClock, Sandbox, SandboxTransport, script
        from both_clients import clock_of

        sandbox = Sandbox()
        campaign, event = sandbox.add_campaign("A"), sandbox.add_marketing_event("B")
        call = {"properties": {"hs_timestamp": "2026-01-31T12:00:00Z"}}

        def orders(hubspot):
            yield hubspot.campaigns.create, [{"properties": {"hs_name": "C"}}]
            yield hubspot.campaigns.read, [campaign]
            yield hubspot.marketing_events.update, [{"objectId": event, "eventName": "D"}]
            yield hubspot.calls.create, [call]

        found = []
        how = {"transport": SandboxTransport(sandbox), "clock": clock_of(sandbox.clock)}
        with HubSpotBatch("token", **how) as hubspot:
            for method, inputs in orders(hubspot):
                sandbox.use_faults(script(["500_after"]))
                found.append(method(inputs).outcomes[0].status)

        async def again():
            async with AsyncHubSpotBatch("token", **how) as hubspot:
                for method, inputs in orders(hubspot):
                    found.append((await method(inputs)).outcomes[0].status)

        sandbox.use_faults(None)
        asyncio.run(again())
        with HubSpotBatch("token", api_version="v3", **how) as hubspot:
            hubspot.calls.create([call]).raise_for_failures()
        print(json.dumps([[entry.path for entry in sandbox.requests], found]))
        """
    )
    assert paths.pop() == "/crm/v3/objects/calls/batch/create"
    # The answers of the first four were lost, and creates are not sent again.
    assert statuses == ["unknown", "succeeded", "succeeded", "unknown", *["succeeded"] * 4]
    new = [after.strip() for _, after in MOVED.values()]
    assert len(paths) == 10
    assert all(path.startswith(tuple(new)) for path in paths)
    assert not [path for path in paths if re.search(r"/v3/", path)]


def test_a_renamed_operation_keeps_what_its_fragment_says(copied: Callable[[], Copy]) -> None:
    """There is no row in Python that could be missed."""
    copy = copied()
    copy.edit("calls", ("operationId: create_calls", "operationId: create_phone_calls"))
    copy.regenerate()
    found = copy.program(
        """
        import json
        from hubspot_batch._operations.registry import SPECS
        spec = SPECS["create_phone_calls"]
        print(json.dumps([spec.all_or_nothing, spec.input_key]))
        """
    )
    assert found == [True, "objectWriteTraceId"]
