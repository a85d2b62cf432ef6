#!/usr/bin/env bash
# Tests the Python SDK from its wheel, against real replicas: format, types, and the tests in clients/python/tests. Then the
# tests marked `smoke` with every other Python from 3.9 on that is on the PATH, or those that PYTHONS names.
#
# The replicas are LEASEHOLD_BINARY, by default target/debug/leasehold. What it needs is installed from PyPI into folders under
# target/. Where it cannot be had this says so, loudly, and fails only when PYTHON_SDK_REQUIRED is set.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

TARGET=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
WORK=$TARGET/python
VENV=$WORK/venv
SDK=$ROOT/clients/python
BINARY=$(realpath --canonicalize-missing "${LEASEHOLD_BINARY:-$TARGET/debug/leasehold}")
OTHERS=${PYTHONS-python3.9 python3.10 python3.11 python3.12 python3.13 python3.14}

# venv_with PYTHON FOLDER REQUIREMENTS: a virtual environment with these, made anew when they change.
venv_with() {
    if [[ -x $2/bin/python ]] && cmp -s "$3" "$2/requirements.txt"; then
        return
    fi
    say "installing $(basename "$3") from PyPI into $2"
    rm -rf "$2"
    "$1" -m venv "$2" &&
        timeout 300 "$2/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$3" &&
        cp "$3" "$2/requirements.txt"
}

# with_wheel FOLDER: puts the wheel into the environment, in place of the one before.
with_wheel() {
    "$1/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$WORK"/dist/*.whl
}

not_to_be_had() {
    local what="NOT TESTED: the Python SDK, for what its tests need cannot be had (python3 from 3.10 on with venv, PyPI)"
    [[ -z ${PYTHON_SDK_REQUIRED:-} ]] || die "$what"
    say "$what"
    exit 0
}

# By way of the source distribution, so that this has all that is needed.
build() {
    rm -rf "$WORK/dist"
    "$VENV/bin/python" -m build --no-isolation --outdir "$WORK/dist" "$SDK" >"$WORK/build.log" 2>&1 || {
        cat "$WORK/build.log" >&2
        die "the wheel of the Python SDK does not build, as shown above"
    }
}

check() {
    say "ruff, mypy"
    "$VENV/bin/ruff" format --quiet --check "$SDK" || die "the Python SDK is not formatted: ruff format clients/python"
    "$VENV/bin/ruff" check --quiet --no-cache "$SDK"
    # The second one against the package as it is installed, with its `py.typed`: what users' own checks see.
    (
        cd "$SDK"
        "$VENV/bin/mypy" --no-error-summary --cache-dir "$WORK/mypy" src
        "$VENV/bin/mypy" --no-error-summary --cache-dir "$WORK/mypy-of-users" tests examples
    )
}

# smoke PYTHON: the tests marked so, with another Python; its log says the rest.
smoke() {
    local venv=$WORK/${1##*/}
    venv_with "$1" "$venv" "$ROOT/scripts/requirements-python-smoke.txt" || {
        say "NOT TESTED: the Python SDK with $1, for httpx and pytest cannot be installed for it"
        return
    }
    with_wheel "$venv"
    (cd "$SDK" && "$venv/bin/python" -m pytest -p no:cacheprovider -m smoke)
}

# With all of these at once.
smoke_all() {
    local python log failed=0
    local -A running=()
    for python in "$@"; do
        smoke "$python" >"$WORK/${python##*/}.log" 2>&1 &
        running[$python]=$!
    done
    for python in "$@"; do
        log=$WORK/${python##*/}.log
        if wait "${running[$python]}"; then
            say "${python##*/}: $(tail -n 1 "$log")"
        else
            cat "$log" >&2
            say "the Python SDK fails with $python, as shown above"
            failed=1
        fi
    done
    ((failed == 0)) || die "the Python SDK fails with another Python"
}

main() {
    "$ROOT/scripts/setup.sh" redis python
    mkdir -p "$WORK"
    has python3 && python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || not_to_be_had
    venv_with python3 "$VENV" "$ROOT/scripts/requirements-python.txt" || not_to_be_had
    [[ -n ${LEASEHOLD_BINARY:-} ]] || cargo build --locked --quiet --bin leasehold
    export LEASEHOLD_BINARY=$BINARY
    build
    with_wheel "$VENV"
    check

    local python own others=()
    own=$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    for python in $OTHERS; do
        # A name on the PATH may be a stand-in for a version that is not there.
        if [[ $python != "$own" ]] && "$python" -c '' 2>/dev/null; then
            others+=("$python")
        fi
    done
    say "the Python SDK from its wheel, with $own; smoke tests with: ${others[*]##*/}"
    # They wait more than they work.
    (cd "$SDK" && "$VENV/bin/python" -m pytest -p no:cacheprovider --numprocesses 6)
    smoke_all "${others[@]}"
}

main
