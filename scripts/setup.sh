#!/bin/sh
# Makes .venv ready, from the lock file, with python3 and pip alone. Sourced by start.sh and test.sh:
#   set_up LOCKFILE   installs exactly what LOCKFILE pins, byte-compiles, and does nothing when that was done before.
# Afterwards $python is the interpreter of .venv.

say() { printf '%s\n' "zen-agents: $*" >&2; }

die() { say "$*"; exit 1; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            found=$(command -v "$candidate")
            # Whoever has activated .venv means the Python that it was made with: it cannot be made anew with itself.
            case $found in
            .venv/* | "$PWD"/.venv/* | "$(pwd -P)"/.venv/*) "$found" -c 'import sys; print(sys._base_executable)' ;;
            *) printf '%s\n' "$found" ;;
            esac
            return 0
        fi
    done
    die "Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python3 $0"
}

# What the environment was made from: another lock, Python or place means that it is made anew.
fingerprint() {
    { cat "$1" pyproject.toml; "$base_python" -c 'import sys; print(sys.version, sys.base_prefix)'; pwd; } | cksum
}

make_environment() {
    rm -rf .venv
    # Debian keeps ensurepip in a package of its own; without it the environment is made bare and filled from outside.
    if "$base_python" -m venv .venv >/dev/null 2>&1; then
        return 0
    fi
    rm -rf .venv
    "$base_python" -m venv --without-pip .venv || die "python3 -m venv does not work; on Debian: apt-get install python3-venv"
}

# Has some pip install into .venv; the host's own packages are never changed, whether or not they are "externally managed".
install() {
    set -- --disable-pip-version-check install --quiet --no-input --no-warn-script-location "$@"
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip "$@"
    elif "$base_python" -m pip --python "$python" --version >/dev/null 2>&1; then
        "$base_python" -m pip --python "$python" "$@"
    else
        # A pip older than 22.3 does not know --python, but it installs for the interpreter that runs it. The packages beside
        # it are not ours: they must not count as installed.
        beside=$("$base_python" -c 'import os, pip; print(os.path.dirname(os.path.dirname(pip.__file__)))' 2>/dev/null) ||
            die "pip is needed; on Debian: apt-get install python3-pip"
        PYTHONPATH=$beside "$python" -m pip "$@" --ignore-installed
    fi
}

set_up() {
    lock=$1
    base_python=$(find_python) || exit 1
    python=.venv/bin/python
    made_from=$(fingerprint "$lock")
    if [ "$(cat ".venv/.made-from-$lock" 2>/dev/null)" = "$made_from" ] && [ -x "$python" ]; then
        return 0
    fi
    say "setting up .venv from $lock (once; about a minute)"
    # A richer environment (the tests' one) also serves a start: it is only made anew when its base is another.
    if [ ! -x "$python" ] || [ "$(cat .venv/.made-by 2>/dev/null)" != "$("$base_python" -VV; pwd)" ]; then
        make_environment
    fi
    install --require-hashes -r "$lock" || die "the packages of $lock could not be installed; is the package index reachable?"
    "$python" scripts/link_checkout.py || die "the checkout could not be linked into .venv"
    # Without byte code every start costs half a second and 4 MB more.
    "$python" -m compileall -q -j 0 zen_agents .venv/lib >/dev/null 2>&1 || say "note: not everything could be byte-compiled"
    { "$base_python" -VV; pwd; } > .venv/.made-by
    printf '%s\n' "$made_from" > ".venv/.made-from-$lock"
}
