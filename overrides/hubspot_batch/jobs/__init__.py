"""Jobs: a file goes into HubSpot, and every row has one outcome that is written down.

In come a table, a mapping and a client. Out come the plan, the outcomes as they become known, the
files that are left behind, and a summary. It never decides what a row or a response means.
"""

from .earlier_run import CREATES_TWICE, EarlierRun, check_earlier, command_line
from .job import Job, JobResult, MaxFailures
from .outcome_files import check_folder
from .plan import Plan, make_plan
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
    "CREATES_TWICE",
    "EarlierRun",
    "Job",
    "JobEnded",
    "JobEvent",
    "JobResult",
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
