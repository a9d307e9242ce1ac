"""The public names of this project: that they are all seen, and read as Python sees them."""

import inspect
from importlib import import_module
from pathlib import Path

from griffe import Function
from releases import api_changes, public_api

ROOT = Path(__file__).resolve().parents[2]


def test_the_public_names_of_this_project_are_found() -> None:
    """The names that users read in the README are public, and nothing is out of sight."""
    names = public_api.read(ROOT)
    fixtures = {"hubspot_batch.testing.hubspot_sandbox"}
    fixtures |= {"hubspot_batch.testing.hubspot_sandbox_transport"}
    assert {name for name, thing in names.items() if thing is None} == fixtures
    methods = ("calls.create", "calls.create_iter", "campaigns.read", "marketing_events.update")
    for client in ("HubSpotBatch", "AsyncHubSpotBatch"):
        assert {f"hubspot_batch.{client}.{name}" for name in methods} <= names.keys()
    assert "hubspot_batch_client.models.CallInput.properties" in names
    assert "hubspot_batch_client.api.calls.create_calls.sync_detailed" in names
    assert "hubspot_batch.sandbox.Sandbox.records" in names
    assert not [name for name in names if "._" in name and "__" not in name]


def test_constructors_are_what_python_says() -> None:
    """The arguments that are read off a class are those that it takes."""
    compared = 0
    for path, thing in public_api.read(ROOT).items():
        if not path.endswith(".__init__") or not isinstance(thing, Function):
            continue
        module, _, name = path.removesuffix(".__init__").rpartition(".")
        made = getattr(import_module(module), name)
        given = [*inspect.signature(made).parameters.values()]
        read = [one for one in thing.parameters if one.name != "self"]
        assert [(one.name, one.kind.name) for one in given] == [
            (one.name, one.kind.name.upper()) for one in read if one.kind
        ], path
        several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        needed = [one.default is one.empty and one.kind not in several for one in given]
        assert needed == [one.required for one in read], path
        compared += hasattr(made, "__attrs_attrs__")
    assert compared > 40


def test_this_project_is_like_itself() -> None:
    """Nothing differs between a tree and itself, and a tree is read in a moment."""
    names = public_api.read(ROOT)
    assert api_changes.compare_names(names, public_api.read(ROOT)) == []
