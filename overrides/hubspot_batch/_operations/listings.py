"""The searches and lists: operations that return records page by page.

This module decides how users call them. Their pages are read in `_paging`.
"""

from __future__ import annotations

import re

from hubspot_batch_client.contract import LISTINGS, Listing

__all__ = ["LISTINGS", "Listing", "method_of", "name_of"]


def method_of(listing: Listing) -> str:
    """Return the name of the method of a client, such as `search`."""
    return re.sub(rf"_{re.escape(listing.tag)}(?=_|$)", "", listing.id, count=1)


def name_of(listing: Listing) -> str:
    """Return the name in messages, as users write it: `calls.search`."""
    return f"{listing.tag}.{method_of(listing)}"
