"""Which input a result or an error belongs to, by evidence.

In: the inputs of a request, and the results and errors of its response. Out: what could be matched,
and what was left over. It never goes by position: HubSpot promises no order.
"""
