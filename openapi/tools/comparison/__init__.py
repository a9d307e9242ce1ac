"""Two API descriptions, compared.

Decides what is a difference, how much it matters to a program, and which differences are expected.
In: two descriptions, however they are written. Out: findings, as data, text, JSON or an HTML page.
"""
