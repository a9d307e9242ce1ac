"""Reads the records of a search or a list, page by page.

It decides which page to request next, and whether a page is complete.
In: the arguments of a method. Out: an iterator of records that ends at the last one, or raises.
"""
