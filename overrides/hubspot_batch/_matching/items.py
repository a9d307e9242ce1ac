"""An input as it is sent."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hubspot_batch._json import read


class EncodedInput(Struct, frozen=True, eq=False, gc=False):
    """An input as it is sent. Immutable.

    A run makes one for each input, so it is a struct of msgspec: an attrs class takes three times
    as long. msgspec is heavy to import, so only a run imports this module.

    Attributes:
        index: Its position among the inputs of the run.
        input: The input as the caller gave it.
        text: Its JSON text.
        key: The id or trace id by which a response can name it; None if it has none.
    """

    index: int
    input: object
    text: bytes
    key: str | None

    @property
    def identity(self) -> str | int:
        """The key, or the position of an input without one: distinct within a request."""
        return self.index if self.key is None else self.key

    @property
    def wire(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        wire: dict[str, Any] = read(self.text)
        return wire
