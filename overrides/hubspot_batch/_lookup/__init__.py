"""Looks up in HubSpot whether creates without a response were done.

It decides what to ask HubSpot, when, and what the found records prove about each input. In: the
outcomes of a run. Out: the same outcomes, where inputs with a found record are now succeeded.
"""
