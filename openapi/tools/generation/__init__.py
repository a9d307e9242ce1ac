"""From the fragments to the generated package.

Decides what a fragment may say, how fragments become one bundle, and what is written from it.
In: root.yaml, the fragments, the templates and the pinned generator.
Out: openapi.yaml and the generated package, both replaced or both left as they were.
"""
