"""Reads the records of a search or a list, page by page.

It decides what is asked for next, and whether a page can be trusted to be whole.
In: the arguments of a method. Out: an iterator of records that ends at the last one, or raises.
"""
