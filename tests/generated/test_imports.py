"""The moment at which each module is imported, and that a later import finds all of it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import pickle
import subprocess
import sys
import typing
from importlib import import_module
from pathlib import Path
from typing import Any

import hubspot_batch
import hubspot_batch_client
import pytest
from hubspot_batch import Clock
from hubspot_batch._operations.registry import SPECS, OperationSpec
from hubspot_batch_client import families, models
from hubspot_batch_client.models import Call

LAZY = pytest.mark.parametrize("package", [hubspot_batch_client, models], ids=lambda p: p.__name__)
FAMILIES = [
    value
    for value in vars(families).values()
    if inspect.isclass(value) and issubclass(value, families._Family | families._AsyncFamily)
    if not value.__name__.startswith("_")
]


def added(script: str, *, after: str = "pass") -> set[str]:
    """The modules that a script loads in a process of its own, beside those of another."""
    seen = "; import sys; before = {*sys.modules}"
    told = "; import json; print(json.dumps([*{*sys.modules} - before]))"
    # Where coverage is measured, it would import a part of what is looked for.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", f"{after}{seen}\n{script}{told}"]
    done = subprocess.run(command, env=plain, check=True, capture_output=True, text=True)
    return {*json.loads(done.stdout)}


def test_a_client_is_made_without_what_only_a_run_needs() -> None:
    """An import of the package waits for httpx and attrs, and for little else."""
    client = "from hubspot_batch import HubSpotBatch; HubSpotBatch('token')"
    loaded = added(client, after="import attrs, httpx; httpx.Client()")
    assert "hubspot_batch._engine.runner" in loaded
    late = ("asyncio", "dateutil", "fastjsonschema", "importlib.metadata", "msgspec", "orjson")
    late += ("decimal", "html", "hubspot_batch_client.api", "hubspot_batch_client.contract")
    ours = ("_engine.run", "_lookup.look_up", "_matching.match", "_operations.validation")
    ours += ("_transport.network", "_transport.transport", "journal.sqlite", "sandbox")
    assert loaded.isdisjoint((*late, *(f"hubspot_batch.{name}" for name in ours)))
    assert not [name for name in loaded if name.startswith("hubspot_batch_client.models.")]


def test_who_wants_models_waits_for_nothing_that_sends() -> None:
    """And for no model that the one that is wanted does not hold."""
    loaded = added("from hubspot_batch_client.models import CallInput")
    assert "hubspot_batch_client.models.call_input" in loaded
    others = ("hubspot_batch_client.models.campaign", "hubspot_batch_client.client")
    assert loaded.isdisjoint((*others, "dateutil", "httpx", "msgspec", "orjson"))


def test_all_of_the_package_is_there() -> None:
    """Every public name can be imported."""
    for name in hubspot_batch.__all__:
        assert getattr(hubspot_batch, name) is not None


@LAZY
def test_names_are_there_when_they_are_asked_for(package: Any) -> None:
    """Each has the name that it is asked for by, and `dir` and `*` know it before."""
    assert {*package.__all__} <= {*dir(package)}
    found: dict[str, object] = {}
    exec(f"from {package.__name__} import *", found)
    assert {*package.__all__} <= found.keys()
    for name in package.__all__:
        value = getattr(package, name)
        assert found[name] is value
        assert getattr(value, "__name__", name) == name


@LAZY
def test_other_names_are_missed(package: Any) -> None:
    """As in any module, so that `hasattr` and `from ... import` do what they should."""
    with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no .* 'Clal'$"):
        getattr(package, "Clal")  # noqa: B009 - as an attribute it would do nothing
    assert not hasattr(package, "__wrapped__")


@LAZY
def test_type_checkers_see_the_same_names(package: Any) -> None:
    """They read what stands in a block of its own."""
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [n for n in blocks[0].body if isinstance(n, ast.ImportFrom)]
    assert sorted(alias.name for node in seen for alias in node.names) == sorted(package.__all__)
    for node in seen:
        module = import_module(f".{node.module}", package.__name__)
        for alias in node.names:
            assert getattr(module, alias.name) is getattr(package, alias.name)


def test_a_model_that_nobody_has_imported_is_unpickled() -> None:
    """It is found by the module that it stands in."""
    call = Call.from_dict({"id": "1", "properties": {"a": "b"}, "archived": False, "more": [1]})
    script = "import pickle, sys; call = pickle.load(sys.stdin.buffer); print(call.to_dict())"
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(call), check=True, capture_output=True
    )
    assert ast.literal_eval(done.stdout.decode()) == call.to_dict()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_annotations_of_methods_can_be_resolved(family: type) -> None:
    """Tools for documentation resolve them, and find the models that they name."""
    methods = [method for name, method in vars(family).items() if not name.startswith("_")]
    for method in methods:
        hints = typing.get_type_hints(method)
        given = hints.get("inputs", hints.get("outcomes", hints["return"]))
        assert "client.models." in repr(given)
        silent = "None" in repr(hints["return"])  # an operation without results
        assert silent or "client.models." in repr(hints["return"])
    assert methods


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)
def test_a_spec_finds_what_is_generated_for_it(spec: OperationSpec) -> None:
    """The functions of its operation, and the models that go in and come out."""
    assert spec.functions.__name__.endswith(f".{spec.id}")
    assert inspect.iscoroutinefunction(spec.functions.asyncio_detailed)
    body = typing.get_type_hints(spec.functions.sync_detailed)["body"]
    assert typing.get_type_hints(body)["inputs"] == list[spec.inputs[0]]
    assert (spec.result is None) == (spec.described.results == "")
    assert spec.result is None or spec.result in vars(models).values()


def test_a_task_sleeps() -> None:
    """The clock of the machine has a sleep for tasks too, before anyone has imported asyncio."""
    assert asyncio.run(_slept(Clock())) is None


async def _slept(clock: Clock) -> object:
    return await clock.asleep(0)
