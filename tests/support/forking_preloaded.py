"""A module that the server of `forkserver` loads: it uses the client before it forks."""

import forking

BEFORE = forking.create("preloaded")
