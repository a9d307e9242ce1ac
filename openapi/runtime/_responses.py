# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""Reads the body of a response: as JSON, or directly into a model.

msgspec finds the fields of a model in the text without making dicts. It makes a *form* of each
object, and models are made from these. If a body has anything that a form does not allow, it is
read as plain JSON instead; tests/generated/test_two_ways.py compares the two ways.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from ._json import read
from ._model import ABSENT, Model

# Loading models must not load httpx.
if TYPE_CHECKING:
    import httpx

ModelT = TypeVar("ModelT", bound=Model)

# Makes a model without values; the caller sets them. A third faster than calling the class.
if TYPE_CHECKING:

    def new(model: type[ModelT], /) -> ModelT: ...

else:
    new = object.__new__


@cache
def form_of(model: type[Model]) -> Any:
    """Return the type that msgspec finds where a JSON object has only the fields of a model.

    It costs a quarter of a dict. Values are not checked, except where they are models themselves.
    """
    from msgspec import defstruct  # noqa: PLC0415 - not needed before there is a response

    forms = model._forms()  # pyright: ignore[reportPrivateUsage] - private to users, not to us
    fields = [(attribute, form(), ABSENT) for attribute, _, form in forms]
    names = {attribute: name for attribute, name, _ in forms}
    return defstruct(
        model.__name__, fields, rename=names, forbid_unknown_fields=True, gc=False, eq=False
    )


def take_one(model: type[Model], form: Any) -> Any:
    """Return the model of a form."""
    into = [form]
    model._take([into])  # pyright: ignore[reportPrivateUsage] - private to users, not to us
    return into[0]


# If a thread uses a type while msgspec still prepares it in another thread, the process crashes.
# Several responses share models, so there is one lock for all.
_finding = Lock()
# A fork waits, so that no process gets a type that another thread was preparing.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_finding.acquire, after_in_parent=_finding.release, after_in_child=_finding.release
    )


@cache
def _find(model: Any) -> Callable[[bytes], Any]:
    from msgspec.json import Decoder  # noqa: PLC0415 - not needed before there is a response

    with _finding:
        try:
            form = form_of(model)
        except RecursionError:
            return _without_form
        return Decoder(form).decode


def _without_form(_: bytes) -> Any:
    raise ValueError("a model that holds itself has no form, and is read from a dict")


def read_model(model: Any, response: httpx.Response) -> Any:
    """Read the body into a model; None if it is not a JSON object."""
    try:
        form = _find(model)(response.content)
    except Exception:  # noqa: BLE001 - an undescribed field, an odd value, or no JSON object
        body = read_json(response)
        return model.from_dict(body) if isinstance(body, dict) else None
    return take_one(model, form)


def read_json(response: httpx.Response) -> Any:
    """Return the body as JSON; None if it is not JSON: empty, HTML or cut off, for example."""
    try:
        return read(response.content)
    except (ValueError, RecursionError):
        return None
