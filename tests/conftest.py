"""What every test shares: Hypothesis runs the same examples every time, and keeps no results."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from faces import Face
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(Path(__file__).parents[1] / ".venv" / "cache" / "hypothesis")
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile("ci")


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Make clients of each kind in turn."""
    made = Face(request.param)
    yield made
    made.close()
