"""The fast way of reading an answer says what the plain way says, whatever the answer holds.

Fast, msgspec finds the forms of models in the text; plain, Python's dicts are read field by field.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from typing import Any

import recorded_responses as bodies
import httpx
import pytest
from hubspot_batch_client.models import (
    ApiError,
    CallBatch,
    CampaignBatch,
    CampaignReadBatch,
    MarketingEventBatch,
)
from hubspot_batch_client.types import form_of, read_json, read_model
from msgspec import DecodeError
from msgspec.json import Decoder
from mutations import CHANGES, garbled, places_of

BODIES = 100_000
SHARES = 20
MODELS: dict[str, Any] = {
    "create_calls": CallBatch,
    "create_campaigns": CampaignBatch,
    "read_campaigns": CampaignReadBatch,
    "update_marketing_events": MarketingEventBatch,
}


def changed(rng: random.Random) -> tuple[Any, bytes]:
    """A model, and an answer that it reads, with up to three changes at random places."""
    answer = rng.choice(bodies.ANSWERS)
    root = [copy.deepcopy(answer.body)]
    for name in rng.choices(list(CHANGES), k=rng.choice((0, 0, 1, 1, 2, 3))):
        if root and (places := places_of(root)):
            CHANGES[name](rng, rng.choice(places), places)
    text = json.dumps(root[0] if root else None, ensure_ascii=rng.random() < 0.5)
    content = text.encode(errors="surrogatepass")
    if rng.random() < 0.1:
        content, _ = garbled(rng, content)
    return MODELS[answer.operation] if answer.status < 300 else ApiError, content


def plainly(model: Any, content: bytes) -> Any:
    """Return what the plain way reads."""
    body = read_json(httpx.Response(200, content=content))
    return model.from_dict(body) if isinstance(body, dict) else None


def told(read: Any) -> tuple[str, str]:
    """All that a model says: types and values, what is additional, and how it is spelled."""
    return repr(read), "" if read is None else json.dumps(read.to_dict())


def is_fast(model: Any, content: bytes) -> bool:
    """Whether the fast way reads it."""
    try:
        Decoder(form_of(model)).decode(content)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


@pytest.mark.many
@pytest.mark.parametrize("share", range(SHARES))
def test_both_ways_read_the_same(share: int) -> None:
    """And a good part of the answers goes each way, so that neither is left out."""
    rng = random.Random(share)
    ways: Counter[bool] = Counter()
    for _ in range(BODIES // SHARES):
        model, content = changed(rng)
        fast = read_model(model, httpx.Response(200, content=content))
        assert told(fast) == told(plainly(model, content)), content
        ways[is_fast(model, content)] += 1
    assert min(ways[True], ways[False]) > 0.1 * ways.total()
