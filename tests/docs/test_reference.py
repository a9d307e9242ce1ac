"""The reference is made from the code, and leaves nothing out."""

from __future__ import annotations

import re
import sys

import hubspot_batch
import pytest
from hubspot_batch_client import families
from hubspot_batch_client.contract import OPERATIONS
from page_blocks import DOCS

sys.path.append(str(DOCS / "extensions"))

from reference_pages import PARTS

MARK = re.compile(r"^<!-- reference: (\w+) -->$", re.MULTILINE)


def reference() -> str:
    """The pages of the reference as the site has them."""
    pages = [path.read_text("utf-8") for path in sorted((DOCS / "reference").glob("*.md"))]
    return "\n".join(MARK.sub(lambda found: PARTS[found[1]](), page) for page in pages)


TEXT = reference()


def test_every_part_has_a_page() -> None:
    """A part that no page shows would be lost."""
    pages = "".join(path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md"))
    assert sorted(MARK.findall(pages)) == sorted(PARTS)


@pytest.mark.parametrize(
    "name", [name for name in hubspot_batch.__all__ if callable(getattr(hubspot_batch, name))]
)
def test_a_public_name_is_there(name: str) -> None:
    """Under a heading of its own, so that it is found."""
    value = getattr(hubspot_batch, name)
    if name in ("Event", "OutcomeIterator", "AsyncOutcomeIterator") and not value.__doc__:
        pytest.skip("it has no words of its own")
    assert re.search(rf"^## {name}$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.id)
def test_an_operation_is_there(operation: object) -> None:
    """With its path, and with its two methods and all their arguments."""
    tag, path = operation.tag, operation.path  # type: ignore[attr-defined]
    name = operation.id.removesuffix(f"_{tag}")  # type: ignore[attr-defined]
    assert f" {path}`" in TEXT
    family = getattr(families, tag.title().replace("_", ""))
    for method in (name, f"{name}_iter"):
        found = re.search(
            rf"^### {tag}\.{method}\n(.*?)(?=^##)", f"{TEXT}\n##", re.MULTILINE | re.DOTALL
        )
        assert found, f"{tag}.{method}"
        named = getattr(family, method).__annotations__.keys() - {"return"}
        assert all(f"{one}:" in found[1] for one in named)
