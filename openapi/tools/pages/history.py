"""What a page says against what was kept of it: whether it is whole, and worded as it was.

Decides when something that a page says no more is news, and when the page is taken for half of
one. Holds no sentence, only what is on record of them.
"""

from collections.abc import Iterator, Mapping

from attrs import frozen
from comparison.description import UnreadableError
from comparison.findings import Finding, Severity

from . import examples, facts, reader
from .facts import Facts, FieldFact, Source

_PARTIAL = {"errors", "numErrors"}


@frozen
class SentenceComparison:
    """The sentences of a page beside those of the page on record that is most like it."""

    like: Source
    fresh: list[str]
    gone: int
    ends: bool

    @property
    def known(self) -> bool:
        """Whether the page is in a language, and a form, of which something is on record."""
        known = len(self.like.prose)
        return 0 < known <= 2 * (known - self.gone)


def compare_sentences(text: str, stated: Facts, kept: Facts) -> SentenceComparison:
    """Look which sentences of a page are on record."""
    now = {*stated.sources[0].prose}
    like = max(kept.sources, key=lambda source: len({*source.prose} & now))
    fresh = [
        one for one in reader.sentences_of(text) if not {*facts.fingerprints(one)} <= {*like.prose}
    ]
    ends = {print_ for source in kept.sources for print_ in source.prose[-2:]}
    return SentenceComparison(like, fresh, len({*like.prose} - now), bool(ends & now))


def check_complete(stated: Facts, kept: Facts, words: SentenceComparison, name: str) -> None:
    """Refuse a page that lacks what it used to state, unless just that can have been left out.

    Raises:
        UnreadableError: It may be half a page, or say it in a way that is not understood.
    """
    lost = [*_missing(stated, kept, words)]
    if lost:
        raise UnreadableError(
            f"{name}: the page says no more of {' and '.join(lost)}: it seems to be half a page, "
            "or to say it in another way. Capture it again, from its top to its end; if it is "
            f"whole, edit openapi/pages/{kept.operation}.yaml."
        )


def _missing(stated: Facts, kept: Facts, words: SentenceComparison) -> Iterator[str]:
    # One sentence less, and nothing else: it was taken out on purpose.
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


def wording_findings(operation: str, words: SentenceComparison) -> list[Finding]:
    """Sentences that were not there when the facts were kept, and those that are gone."""
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
            why="The page is worded otherwise; what it states is compared apart from that.",
            file=f"openapi/pages/{operation}.yaml",
            line=1,
        )
    ]
