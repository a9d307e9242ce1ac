"""The demo: example files go through all four operations, and each row is told what became of it.

This module decides nothing; `run` does.
"""
