"""The differences between a captured page and our fragments.

Decides how a page is compared: by the description that stands in it, if there is one, else by the
facts that it states. Sentences are compared with those of the pages whose facts are kept.
"""

from pathlib import Path

from comparison.compare_descriptions import ComparisonResult, compare_operation
from comparison.compare_schema import Comparison
from comparison.compare_with_fragments import NAME, Fragments, compare_with_fragments, unexpected
from comparison.description import MOST_OF_PAGE, UnreadableError, read_page, text_of
from comparison.findings import Report, ordered
from generation.yaml_source import shown

from . import facts, history, reader


def compare_page(path: Path, fragments: Fragments) -> Report:
    """Compare a captured page with the fragments.

    Raises:
        UnreadableError, SchemaError: It is not a whole page, or is about no operation of ours.
    """
    name = shown(path)
    text = text_of(path, name, most=MOST_OF_PAGE)
    if given := read_page(text, name):
        return compare_with_fragments(given, fragments)
    stated = reader.read(text, name)
    description = stated.description()
    found = description.operations[0]
    one = next((one for one in fragments.description.operations if description.find(one)), None)
    if one is None:
        raise UnreadableError(
            f"{name}: this page is about {found.title}, which no fragment describes "
            f"(they describe {fragments.titles})."
        )
    kept_at = fragments.home / "pages" / f"{one.id}.yaml"
    kept = facts.read(kept_at) if kept_at.exists() else None
    words = history.compare_sentences(text, stated, kept) if kept else None
    if kept and words:
        history.check_complete(stated, kept, words, name)
    result = ComparisonResult([], {})
    side, own = fragments.beside(one, found)
    here = Comparison(one.id, side.reader, description.reader, fragments.locate)
    compare_operation(own, found, side, description, one.id, result, here=here)
    findings = unexpected(result, fragments, "page")
    if kept and words:
        limit_gone = kept.limit is not None and stated.limit is None
        findings += history.wording_findings(one.id, words, limit_gone=limit_gone)
    return Report(ordered(findings), NAME, name)
