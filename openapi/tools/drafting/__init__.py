"""A published description -> a fragment in the house's form.

Decides what a new fragment says about an operation, in which names and words, and which operations
cannot have one. Takes a description that `comparison` has read, and returns text for
openapi/fragments/.
"""
