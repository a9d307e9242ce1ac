"""Files and tables: rows in, inputs or reasons out.

It decides what a row is and what its cells mean. In: the text of a file. Out: an input for each
row, or the reason why it has none.
"""
