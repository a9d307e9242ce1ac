"""Jobs: a file goes into HubSpot, and every row has one outcome that is written down.

In come a table, a mapping and a client. Out come the plan, the outcomes as they become known, the
files that are left behind, and a summary. It never decides what a row or a response means.
"""

from .summary import (
    JobEnded,
    JobEvent,
    JobSummary,
    PacePoint,
    PlanMade,
    Progress,
    Reason,
    RowDone,
    Waiting,
)

__all__ = [
    "JobEnded",
    "JobEvent",
    "JobSummary",
    "PacePoint",
    "PlanMade",
    "Progress",
    "Reason",
    "RowDone",
    "Waiting",
]
