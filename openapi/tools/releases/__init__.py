"""From what changed since the last tag to the changelog, the version and the upload.

Decides what users can rely on, what breaks them, and which version number that asks for.
In: findings, and the public names of two source trees. Out: lines of the changelog, the smallest
honest version, and the distributions on a package index.
"""
