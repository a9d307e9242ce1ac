"""Adapters whose other program is not installed."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("adapter", "missing", "install"),
    [
        ("otel", "opentelemetry", "hubspot-batch[otel]"),
        ("celery", "celery", "celery"),
        ("dlt", "dlt", "dlt"),
        ("ray", "pyarrow", "ray[data]"),
    ],
)
def test_an_adapter_says_what_to_install(
    adapter: str, missing: str, install: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is still the error of a module that is missing, with that module's name."""
    name = f"hubspot_batch.integrations.{adapter}"
    for loaded in [one for one in sys.modules if one.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ModuleNotFoundError) as caught:
        import_module(name)
    assert str(caught.value) == f'{name} needs {missing}: pip install "{install}"'
    assert caught.value.name == missing
