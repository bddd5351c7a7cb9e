# Finds the state directory without the product. Sourced by stop-agents.sh and audit-logs.sh; sets $state.
# Order: --state-dir, ZEN_AGENTS_STATE_DIR, the pointer an engine leaves at its start, the usual places.
# shellcheck shell=sh

# Run by root, only what root owns counts: anybody could leave a pointer or a record elsewhere.
trusted() { [ -e "$1" ] && { [ "$(id -u)" != 0 ] || [ -O "$1" ]; } && [ ! -L "$1" ]; }

find_state() {
    state=${1:-${ZEN_AGENTS_STATE_DIR:-}}
    [ -n "$state" ] && return 0
    for pointer in /run/zen-agents/state-dir "${XDG_RUNTIME_DIR:-/nonexistent}/zen-agents/state-dir"; do
        if trusted "$pointer"; then
            IFS= read -r state <"$pointer" || :
            [ -d "$state" ] && return 0
        fi
    done
    checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
    for state in /var/lib/zen-agents "${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/zen-agents" "$checkout/.state"; do
        trusted "$state" && [ -d "$state" ] && return 0
    done
    echo "no state directory found; name it: --state-dir DIR" >&2
    return 1
}
