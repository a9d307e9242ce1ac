# Handwritten; "make regenerate" copies this module into generated/hubspot_batch_client.
"""Lets a caller read a response before the endpoint function does, without reading it twice.

Nothing else knows of this. To remove it, delete this module and let `types` import `read_model`
from `_responses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _responses

if TYPE_CHECKING:
    import httpx

_READ = f"{__name__}.read_model"


def read_model(model: Any, response: httpx.Response) -> Any:
    """Read the body into a model; None if it is not a JSON object."""
    # Popped, because responses of httpx are reference cycles and so keep things alive for a while.
    read_before, read = response.extensions.pop(_READ, (None, None))
    return read if read_before is model else _responses.read_model(model, response)


def read_model_ahead(model: Any, response: httpx.Response) -> Any:
    """Do as `read_model`, and let the next `read_model` of this response return the same model."""
    read = read_model(model, response)
    response.extensions[_READ] = model, read
    return read
