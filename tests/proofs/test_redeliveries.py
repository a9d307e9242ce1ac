"""Tasks that are delivered again while their workers are killed; `make soak` kills hundreds."""

from __future__ import annotations

import pytest
from soak_kills import CAN_KILL
from soak_redeliveries import POSTGRES, one_redelivery

pytestmark = [
    pytest.mark.skipif(not CAN_KILL, reason="this system makes processes too slowly"),
    pytest.mark.many,
    pytest.mark.once,
]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_tasks_that_are_delivered_again(
    kind: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is created twice, nothing is lost, and what is said of each input is true."""
    monkeypatch.setenv(POSTGRES, postgres)
    report = one_redelivery(0, kind)
    if report.failure:
        pytest.fail(f"{report.command}\n{report.failure}", pytrace=False)
