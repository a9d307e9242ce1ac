"""Looks up whether creates were done whose responses were lost.

It decides what to ask HubSpot, when, and what the records that are found say of each input.
In: the outcomes of a run. Out: the same outcomes, with those of inputs whose records were found.
"""
