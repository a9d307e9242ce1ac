"""A page compared with the facts that were saved from earlier captures of it.

Decides if a page is complete, and if its wording has changed. When a fact is missing, the page is
taken for an incomplete capture unless only that sentence was removed.
"""

from collections.abc import Iterator, Mapping

from attrs import frozen
from comparison.description import UnreadableError
from comparison.findings import Finding, Severity

from . import examples, facts, reader
from .facts import Facts, FieldFact, Source

_PARTIAL = {"errors", "numErrors"}

_REWORDED = "The page is worded differently; what it states is compared apart from that."
_LIMIT_GONE = (
    "The page no longer says how many inputs a request may have; the server may take as many as "
    "before."
)


@frozen
class SentenceComparison:
    """The sentences of a page, compared with the most similar saved page.

    `fresh` are the new sentences, `gone` is the number of missing ones, and `ends` is True if the
    page has one of the last sentences of a saved page.
    """

    like: Source
    fresh: list[str]
    gone: int
    ends: bool

    @property
    def known(self) -> bool:
        """True if a page in this language and form was saved before."""
        known = len(self.like.prose)
        return 0 < known <= 2 * (known - self.gone)


def compare_sentences(text: str, stated: Facts, kept: Facts) -> SentenceComparison:
    """Find the sentences of a page among those of the saved pages."""
    now = {*stated.sources[0].prose}
    like = max(kept.sources, key=lambda source: len({*source.prose} & now))
    fresh = [
        one for one in reader.sentences_of(text) if not {*facts.fingerprints(one)} <= {*like.prose}
    ]
    ends = {print_ for source in kept.sources for print_ in source.prose[-2:]}
    return SentenceComparison(like, fresh, len({*like.prose} - now), bool(ends & now))


def check_complete(stated: Facts, kept: Facts, words: SentenceComparison, name: str) -> None:
    """Refuse a page that lacks a fact of earlier captures, unless it was taken out on purpose.

    Raises:
        UnreadableError: The page may be cut off, or state the fact in an unknown way.
    """
    lost = [*_missing(stated, kept, words)]
    if lost:
        raise UnreadableError(
            f"{name}: the page says no more of {' and '.join(lost)}: it seems to be half a page, "
            "or to say it in another way. Capture it again, from its top to its end; if it is "
            f"whole, edit openapi/pages/{kept.operation}.yaml."
        )


def _missing(stated: Facts, kept: Facts, words: SentenceComparison) -> Iterator[str]:
    # Only one sentence is missing, so it was taken out on purpose.
    taken_out = words.ends and words.gone == 1 and not words.fresh
    if kept.limit and not stated.limit and not taken_out:
        yield "the most inputs of a request"
    if kept.order_of_results and not stated.order_of_results and not words.ends:
        yield "the order of results"
    if kept.scopes and not stated.scopes and not words.ends:
        yield "the scopes"
    yield from (f"the values of `{name}`" for name in kept.enums if name not in stated.enums)
    for side, before, now in (
        ("request", kept.request, stated.request),
        ("response", kept.response, stated.response),
    ):
        for at in examples.no_longer_shown(before, now):
            yield f"what is in `{at}` of the {side}"
    shown = {*stated.response, *(stated.fields or ())}
    if _PARTIAL.issubset(kept.response) and not _PARTIAL & shown:
        yield "`errors`, which stand in the example of a partial success (207)"
    if stated.fields is not None:
        yield from _missing_fields(stated, kept, stated.fields)


def _missing_fields(stated: Facts, kept: Facts, listed: Mapping[str, FieldFact]) -> Iterator[str]:
    for name in kept.fields or ():
        if name not in listed and name in stated.response:
            yield f"the type of `{name}`"
    if kept.query and not stated.query:
        yield "the query parameters"
    needed = any(fact.required for fact in (kept.fields or {}).values())
    if needed and not any(fact.required for fact in listed.values()):
        yield "what is required"


def wording_findings(
    operation: str, words: SentenceComparison, *, limit_gone: bool
) -> list[Finding]:
    """Return a finding if sentences are new or gone since the facts were saved."""
    if not words.known or (not words.fresh and not words.gone):
        return []
    was = f"{words.gone} sentence{'s'[: words.gone != 1]} of {words.like.page}"
    return [
        Finding(
            operation=operation,
            pointer="/description",
            kind="wording",
            severity=Severity.WORDING,
            was=was if words.gone else None,
            now=" / ".join(words.fresh) or None,
            why=_LIMIT_GONE if limit_gone else _REWORDED,
            file=f"openapi/pages/{operation}.yaml",
            line=1,
        )
    ]
