"""Jobs: a file goes into HubSpot, and every row has one outcome that is written down.

In come a table, a mapping and a client. Out come the plan, the outcomes as they become known, the
files that are left behind, and a summary. It never decides what a row or a response means.
"""

from .job import Ended, Job, MaxFailures
from .plan import Plan, make_plan
from .results import check_folder
from .resume import INSISTS, Earlier, check_earlier, command_line
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
from .work import Work, command_words

__all__ = [
    "INSISTS",
    "Earlier",
    "Ended",
    "Job",
    "JobEnded",
    "JobEvent",
    "JobSummary",
    "MaxFailures",
    "PacePoint",
    "Plan",
    "PlanMade",
    "Progress",
    "Reason",
    "RowDone",
    "Waiting",
    "Work",
    "check_earlier",
    "check_folder",
    "command_line",
    "command_words",
    "make_plan",
]
