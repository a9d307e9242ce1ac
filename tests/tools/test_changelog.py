"""Where the notes go in a changelog; what is written by hand stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from releases import changelog


@pytest.mark.parametrize("heading", ["Unreleased", "0.2.0 - unreleased", "0.2.0", "v0.2.0 (soon)"])
def test_handwritten_lines_stay(heading: str) -> None:
    """Under a heading that is open already, what stands there stays as it is."""
    top = ["# Changelog", "", f"## {heading}", "", "By hand.", ""]
    rest = ["## 0.1.0", "", changelog.BEGIN, "old", changelog.END]
    last = Version("0.1.0")
    once = changelog.put([*top, *rest], ["- a"], last)
    block = [changelog.BEGIN, "", "- a", "", changelog.END, ""]
    assert once == [*top, *block, *rest]
    moved = [*once[:4], *block, "By hand, below.", "", *rest]
    again = changelog.put(moved, ["- b"], last)
    assert again == [line.replace("- a", "- b") for line in moved]


@pytest.mark.parametrize(
    "present",
    [[], ["# Changelog"], ["# Changelog", ""], ["## 0.1.0"], ["## notes 1.x"], ["## 1.2foo"]],
)
def test_any_changelog(present: list[str]) -> None:
    """Where nothing is open, a heading is put in front of what was released."""
    written = changelog.put(present, ["- a"], Version("0.1.0"))
    assert next(line for line in written if line.startswith("## ")) == "## Unreleased"
    assert [line for line in present if line not in written] == []
    assert changelog.put(written, ["- a"], Version("0.1.0")) == written


@given(
    st.lists(st.sampled_from(["", "text", "## 0.1.0", "## Unreleased", "## 0.2.0", "- x"])),
    st.lists(st.sampled_from(["- a", "- b", ""]), min_size=1),
)
def test_only_between_the_markers(present: list[str], lines: list[str]) -> None:
    """The rest of the file stays as it is, in its order, and twice is like once."""
    once = changelog.put(present, lines, Version("0.1.0"))
    assert changelog.put(once, lines, Version("0.1.0")) == once
    begin, end = once.index(changelog.BEGIN), once.index(changelog.END)
    outside = [line for line in [*once[:begin], *once[end + 1 :]] if line]
    if "## Unreleased" in outside and "## Unreleased" not in present:
        outside.remove("## Unreleased")
    if outside != [line for line in present if line]:
        outside.remove("## Unreleased")  # one more, before a release
    assert outside == [line for line in present if line]
