"""How long random and exhaustive tests look: HYPOTHESIS_FACTOR times as long as in `make test`."""

from __future__ import annotations

import os

FACTOR = max(1, int(os.environ.get("HYPOTHESIS_FACTOR", "1")))
