# Finds the state directory without the product. Sourced by stop-agents.sh and audit-logs.sh; sets $state.
# Order: --state-dir, ZEN_AGENTS_STATE_DIR, the pointer an engine leaves at its start, the usual places.
# shellcheck shell=sh

# Run by root, only what root owns counts: anybody could leave a pointer or a record elsewhere.
owned() { [ "$(id -u)" != 0 ] || [ -O "$1" ]; }
trusted() { [ -e "$1" ] && [ ! -L "$1" ] && owned "$1"; }

# Text that a terminal may be shown: nothing in it can move a cursor or change what was written before.
plain() { LC_ALL=C tr -c '\11\12\40-\176' '?'; }

# The value of an option, which must be there: wanted OPTION COUNT-OF-WORDS-LEFT.
wanted() { [ "$2" -ge 2 ] || { echo "$1 needs a value; see --help" >&2; exit 2; }; }

find_state() {
    state=${1:-${ZEN_AGENTS_STATE_DIR:-}}
    if [ -n "$state" ]; then
        [ -d "$state" ] && return 0
        echo "there is no directory $state" >&2
        return 1
    fi
    for pointer in /run/zen-agents/state-dir "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/zen-agents/state-dir"; do
        if trusted "$pointer" && [ -f "$pointer" ]; then
            IFS= read -r state <"$pointer" || :
            [ -d "$state" ] && [ -x "$state" ] && return 0
        fi
    done
    home=${HOME:-$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)}
    checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
    # Nobody but root makes anything in /var/lib, whoever owns what is in it.
    state=/var/lib/zen-agents
    [ -d "$state" ] && [ -x "$state" ] && return 0
    for state in "${XDG_STATE_HOME:-${home:-/nonexistent}/.local/state}/zen-agents" "$checkout/.state"; do
        [ -d "$state" ] && owned "$state" && return 0
    done
    echo "no state directory found; name it: --state-dir DIR" >&2
    return 1
}
