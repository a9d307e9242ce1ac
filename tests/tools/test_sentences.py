"""The words of the release notes: any finding is one line, and says what was and what is."""

from typing import Any

import pytest
from attrs import evolve
from comparison.findings import Finding, Severity
from hypothesis import given
from hypothesis import strategies as st
from releases.api_changes import is_assignable
from releases.changelog import MARK, notes_of_description

FINDING = Finding(
    operation="o",
    pointer="/request/properties/inputs/maxItems",
    kind="limit",
    severity=Severity.BREAKING,
)


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (evolve(FINDING, was=50, now=25), "a request takes 25 inputs at most, and took 50 before."),
        (
            evolve(
                FINDING,
                pointer="/response/2XX/properties/results/items/properties/name",
                kind="field",
                was={"type": "string"},
            ),
            "the field `results[].name` of a response is gone.",
        ),
        (
            evolve(FINDING, pointer="/query/after", kind="parameter", now="string"),
            "the parameter `after` of a request is new: `string`.",
        ),
        (
            evolve(
                FINDING,
                pointer="/request/properties/inputs/items/properties/a~1b/enum",
                kind="enum",
                was=["x", "y"],
                now=["y", "z"],
            ),
            "the enum `inputs[].a/b` of a request: `z` new; `x` gone.",
        ),
        (
            evolve(FINDING, pointer="/scopes", kind="scopes", was=["x"], now=["x", "y"], why="W."),
            "the scopes: `y` new. W.",
        ),
        (
            evolve(FINDING, pointer="/path", kind="path", was="/a", now="/b"),
            "the path is `/b`, it was `/a`.",
        ),
        (
            evolve(FINDING, pointer="/path", kind="path", was="a" * 99, now="b"),
            "the path has changed.",
        ),
        (evolve(FINDING, kind="required", was=False, now=True), "is `true`, it was `false`."),
        (
            evolve(FINDING, kind="type", was=[{}], now=[1]),
            "the type `inputs` of a request has changed.",
        ),
    ],
)
def test_sentences(finding: Finding, sentence: str) -> None:
    """A finding of any kind becomes a sentence with what it was and what it is."""
    (note,) = notes_of_description([finding])
    assert str(note).startswith(f"- {MARK}`o`: ")
    assert note.text.endswith(sentence)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.lists(
        st.builds(
            Finding,
            operation=st.just("o"),
            pointer=st.sampled_from(["/request/inputs", "/query/a", "/path", "/response/2XX/~1"]),
            kind=st.sampled_from(["limit", "field", "scopes"]),
            severity=st.sampled_from(Severity),
            was=JSON,
            now=JSON,
        )
    )
)
def test_any_finding_is_one_line(findings: list[Finding]) -> None:
    """A finding is one line, for any two sides, and wordings are one in all."""
    told = notes_of_description(findings)
    assert all(len(str(note).splitlines()) == 1 for note in told)
    worded = sum(one.severity is Severity.WORDING for one in findings)
    assert len(told) == len(findings) - worded + bool(worded)
    assert [note.severity for note in told] == sorted(note.severity for note in told)


@pytest.mark.parametrize(
    ("given", "promised", "content"),
    [
        ("int", "int | None", True),
        ("int | None", "int", False),
        ("Optional[int]", "None | int", True),
        ("Union[int, str]", "'str | int'", True),
        ("list[int]", "list", True),
        ("list", "list[int]", False),
        ("a.b.Outcome[models.Call]", "Outcome[Call]", True),
        ("Iterable[A]", "Iterable[A | B]", True),
        ("dict[str, A]", "dict[str, B]", False),
        ("Literal['a']", "Literal['a', 'b']", True),
        ("Literal['a', 'b']", "Literal['a']", False),
        ("Whatever", "Any", True),
        ("Callable[[int], str]", "Callable[[int], str]", True),
        ("not python (", "not python (", True),
    ],
)
def test_types(given: str, promised: str, content: bool) -> None:
    """A type is_assignable where another was promised if it is no more than that."""
    assert is_assignable(given, promised) is content
