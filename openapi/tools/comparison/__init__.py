"""Two API descriptions, compared.

Decides what is a difference, how much it matters to a program, and which ones are expected.
In: two descriptions in any way of writing. Out: findings, and those as text, JSON or an HTML page.
"""
