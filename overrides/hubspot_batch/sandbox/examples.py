"""Records that a served sandbox holds from the start, so that there is something to read.

It decides their ids and values, which stay the same from run to run.
"""

from typing import Any

from .core import Sandbox

CAMPAIGN_IDS = (
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a01",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a02",
    "1c0f4d0a-5b1e-4d27-9a44-0f6c7d1e2a03",
)
MARKETING_EVENT_IDS = ("330000000101", "330000000102", "330000000103")


def add_examples(sandbox: Sandbox) -> None:
    """Put three campaigns and three marketing events into the sandbox, under fixed ids."""
    for number, (record_id, name) in enumerate(
        zip(CAMPAIGN_IDS, ("Spring launch", "Partner days", "Winter webinar"), strict=True), 1
    ):
        form: dict[str, Any] = {
            "id": str(900 + number),
            "name": f"{name}: registration",
            "metrics": {"submissions": 12.0 * number, "views": 340.0 * number},
        }
        sandbox.add_campaign(
            name,
            record_id=record_id,
            properties={"hs_start_date": f"2026-0{number}-01", "hs_end_date": f"2026-0{number}-28"},
            assets={"FORM": [form], "LANDING_PAGE": []},
        )
    for number, (record_id, name) in enumerate(
        zip(MARKETING_EVENT_IDS, ("Open house", "Product tour", "Roundtable"), strict=True), 1
    ):
        sandbox.add_marketing_event(
            name,
            record_id=record_id,
            fields={
                "eventOrganizer": "Events team",
                "startDateTime": f"2026-0{number}-10T09:00:00Z",
            },
            custom_properties={"room": f"{number}"},
        )
