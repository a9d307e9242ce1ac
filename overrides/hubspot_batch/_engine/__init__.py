"""A run: from inputs to outcomes.

It decides which inputs share a request and what becomes of each input. In: an iterable of inputs
and the functions that encode and send them. Out: an outcome for every input. It knows no operation
of HubSpot.
"""
