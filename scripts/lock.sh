#!/bin/sh
# Resolves requirements/*.lock anew: every platform and Python in one file, with hashes, without addresses.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"

resolve() {
    target=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --upgrade "$@" --output-file "requirements/$target.lock"
    echo "requirements/$target.lock"
}

resolve build requirements/build.in
resolve run pyproject.toml
resolve test pyproject.toml --extra test
