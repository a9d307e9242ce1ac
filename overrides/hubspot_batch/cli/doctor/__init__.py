"""The command `doctor`: looks at everything that a load needs, and changes nothing.

`machine` looks at this machine, `server` at HubSpot; `command` prints what they found.
"""
