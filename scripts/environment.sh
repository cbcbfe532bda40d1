#!/bin/sh
# Creates .venv from the lock files, or finds in milliseconds that there is nothing to do.
# usage: scripts/environment.sh run|test        (PYTHON=/path/to/python chooses the interpreter)
set -eu
cd "$(dirname "$0")/.."
kind=${1:?usage: scripts/environment.sh run|test}
venv=.venv
python=$venv/bin/python

say() { printf '[environment] %s\n' "$*"; }

fail() {
    printf 'environment: %s\n' "$*" >&2
    exit 1
}

# What the environment is made from; another interpreter path or another lock makes another sum.
sum_of() {
    { cksum "requirements/build.lock" "requirements/$1.lock" pyproject.toml && pwd; } | cksum
}

stamped() {
    [ -x "$python" ] && [ -f "$venv/.stamp-$1" ] && [ "$(cat "$venv/.stamp-$1")" = "$(sum_of "$1")" ]
}

# The test environment holds all that a run needs.
if stamped test || { [ "$kind" = run ] && stamped run; }; then
    exit 0
fi

fits() {
    # A shim can exist without an interpreter behind it, and Debian splits `ensurepip` off: try, do not look.
    "$1" -c 'import sys, venv, ensurepip; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}

if [ ! -x "$python" ] || ! fits "$python"; then
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is no working Python 3.11 to 3.13 with venv: give the path of another"
        found=$PYTHON
    else
        found=
        for candidate in python3 python3.13 python3.12 python3.11; do
            if fits "$candidate"; then
                found=$candidate
                break
            fi
        done
        [ -n "$found" ] || fail "no Python 3.11 to 3.13 with its venv module was found: install one" \
            "(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12)" \
            "or name it with PYTHON=/path/to/python3 make demo"
    fi
    say "creating $venv with $("$found" -c 'import sys; print("Python", sys.version.split()[0])') ($found)"
    rm -rf "$venv"
    "$found" -m venv "$venv" || fail "$found cannot create $venv: mend it, or give another with PYTHON="
fi
rm -f "$venv/.stamp-run" "$venv/.stamp-test"

say "installing the build tools (requirements/build.lock)"
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements/build.lock || fail "pip cannot install requirements/build.lock: see its message above" \
    "(no network? an index of your own goes into pip's configuration)"

# uv is many times faster than pip; it reads its own configuration, so it is told what pip's says.
pip_setting() {
    "$python" -m pip config list 2>/dev/null |
        sed -n "s/^[a-z:]*\.$1='\(.*\)'\$/\1/p" | tail -n 1 | sed 's/\\n/ /g'
}

index=$(pip_setting index-url)
more=$(pip_setting extra-index-url)
links=$(pip_setting find-links)
[ -z "$index" ] || [ -n "${UV_DEFAULT_INDEX:-}" ] || export UV_DEFAULT_INDEX="$index"
[ -z "$more" ] || [ -n "${UV_INDEX:-}" ] || export UV_INDEX="$more"
[ -z "$links" ] || [ -n "${UV_FIND_LINKS:-}" ] || {
    UV_FIND_LINKS=$(printf '%s' "$links" | tr -s ' ' ',')
    export UV_FIND_LINKS
}
# Every file is checked against its hash, so it does not matter which index it comes from.
export UV_INDEX_STRATEGY=unsafe-best-match

say "installing the packages (requirements/$kind.lock)"
if ! "$venv/bin/uv" pip sync --python "$python" --require-hashes --only-binary :all: \
    requirements/build.lock "requirements/$kind.lock"; then
    say "uv did not succeed, trying pip, which is slower"
    "$python" -m pip install --disable-pip-version-check --require-hashes --only-binary :all: \
        -r requirements/build.lock -r "requirements/$kind.lock" ||
        fail "pip cannot install requirements/$kind.lock: see its message above"
fi
say "installing the platform itself"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . ||
    fail "pip cannot install the platform itself: see its message above"
sum_of "$kind" >"$venv/.stamp-$kind"
say "ready"
