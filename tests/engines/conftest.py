"""The engines send no reports: tests reach loopback only."""

from __future__ import annotations

import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
