"""The truth about a request, and whether a changed response forges evidence of another one.

Forged evidence, which no client can see through, is not tried:

- the key of a result (trace id, id, object id) that is another input's;
- a value of a result that another input has sent, and its own has not;
- a record that was made once, shown as two; more records than were made; or what is no record at
  all, shown as one;
- an error that names an input which was carried out;
- a success that is called a refusal.

All else only takes evidence away, or adds what is evidence of nothing, or of its own falsity: the
same record under two keys, or one record too many where another input was refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from hubspot_batch.sandbox.clock import parse_datetime
from soak_inputs import CALLS, CAMPAIGNS, READ, UPDATE

ORIGIN = "soakOrigin"
"""A field, put into each result before all changes, that says whose it is."""
STRANGER = "nobody"

KEYS: Mapping[str, str | None] = {
    CALLS: "objectWriteTraceId",
    CAMPAIGNS: None,
    READ: "id",
    UPDATE: "objectId",
}
"""The field by which an answer names an input."""


@frozen
class Facts:
    """The truth about a request: what each origin sent, and its outcome.

    Where nothing is known, everything is `free` to be said.
    """

    operation: str
    keys: Mapping[str, str | None] = field(factory=dict)
    properties: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    done: frozenset[str] = frozenset()
    free: bool = False

    def forged(self, document: Any) -> bool:
        """Return whether a document holds evidence of what is not so, and nothing against it."""
        if self.free or not isinstance(document, dict):
            return False
        results, errors = document.get("results"), document.get("errors")
        if isinstance(results, list):
            of_mappings = [one for one in results if isinstance(one, dict)]
            strangers = [one for one in of_mappings if one.get(ORIGIN) == STRANGER]
            if strangers and not self._strange(strangers, document):
                return True
            if self._untrue_results([one for one in of_mappings if one not in strangers]):
                return True
        return isinstance(errors, list) and any(self._untrue_error(error) for error in errors)

    def _strange(self, strangers: list[Any], document: dict[str, Any]) -> bool:
        """Return whether an answer shows that these results belong to no input."""
        errors, number = document.get("errors"), document.get("numErrors")
        known = len(errors) if isinstance(errors, list) else 0
        refused = isinstance(number, int) and number > known
        return all(
            _name(one.get("id")) == _name(one.get("objectId")) == "4711"
            and isinstance(properties := one.get("properties"), dict)
            and (refused or properties == dict.fromkeys(("hs_name", "hs_call_title"), "a stranger"))
            for one in strangers
        )

    def _untrue_results(self, results: list[dict[str, Any]]) -> bool:
        ids: dict[str, set[str]] = {}
        names = [(self._id(one), self._key(one)) for one in results]
        for result in results:
            origin = result.get(ORIGIN, "")
            key, own, name = self._key(result), self.keys.get(origin), self._id(result)
            in_doubt = name is not None and (name, own) in names and own is not None
            if key not in (None, own) and key in self.keys.values() and not in_doubt:
                return True
            if name is not None and ORIGIN not in result:
                return True
            if name is not None:
                ids.setdefault(origin, set()).add(name)
            properties = result.get("properties")
            if isinstance(properties, dict) and self._anothers(origin, properties):
                return True
        return sum(map(len, ids.values())) > len(self.done) or any(len(i) > 1 for i in ids.values())

    def _key(self, result: dict[str, Any]) -> str | None:
        return _name(result.get(KEYS[self.operation] or ""))

    def _id(self, result: dict[str, Any]) -> str | None:
        return _name(result.get("objectId" if self.operation == UPDATE else "id"))

    def _anothers(self, origin: str, properties: dict[str, Any]) -> bool:
        own = self.properties.get(origin, {})
        return any(
            _alike(value, sent[name]) and not (name in own and _alike(value, own[name]))
            for name, value in properties.items()
            for sent in self.properties.values()
            if name in sent
        )

    def _untrue_error(self, error: Any) -> bool:
        if not isinstance(error, dict):
            return False
        done = {key for mark, key in self.keys.items() if mark in self.done and key}
        context = error.get("context")
        values = list(context.values()) if isinstance(context, dict) else []
        lists = [one if isinstance(one, list) else [one] for one in values]
        words = re.findall(r"[\w-]+", str(error.get("message")))
        return bool(done & {*words, *(str(one) for each in lists for one in each)})


def _name(value: Any) -> str | None:
    is_name = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    return str(value) if is_name else None


def _alike(one: Any, other: Any) -> bool:
    return _plain(one) == _plain(other)


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return repr(value) if isinstance(value, dict | list) else value
    if len(value) >= len("2026-01-01") and (moment := parse_datetime(value)):
        return moment
    text = "".join(unicodedata.normalize("NFKC", value).casefold().split())
    try:
        return float(text)
    except ValueError:
        return text
