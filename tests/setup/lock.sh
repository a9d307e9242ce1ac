#!/bin/sh
# Write the requirements files from pyproject.toml: each package with its version and its hashes.
#
#   lock.sh [--upgrade]
#
# The files name no index: pip's settings say where packages come from, the hashes which they are.
set -eu
upgrade=${1:-}

# compile OUTPUT ARGUMENT...
compile() {
  output=$1; shift
  .venv/bin/python -m uv --quiet --cache-dir .venv/cache/uv pip compile --no-python-downloads \
    --universal --python-version 3.11 --generate-hashes --no-build --no-strip-extras --system-certs \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $upgrade \
    --output-file "$output" "$@"
}

compile tests/requirements/dev.txt pyproject.toml --all-extras --group dev
compile tests/requirements/engines.txt pyproject.toml --all-extras --group engines
# The demo needs no files that are not text.
compile tests/requirements/demo.txt pyproject.toml --extra sandbox --group demo \
  --constraint tests/requirements/dev.txt
compile tests/requirements/lowest.txt pyproject.toml --all-extras --group test --resolution lowest-direct
compile openapi/tools/requirements.txt --group pyproject.toml:generator
compile tests/requirements/peers.txt --group pyproject.toml:peers
# Not with the versions of dev.txt: Sphinx and twine want different releases of docutils.
compile tests/requirements/docs.txt pyproject.toml --all-extras --group docs \
  --constraint tests/requirements/demo.txt
