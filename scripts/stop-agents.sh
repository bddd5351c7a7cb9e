#!/bin/sh
# Stops all automatic changes, without Python, the network or the product, also with a hung engine and a full disk.
#   stop-agents.sh --emergency [--reason TEXT] [--state-dir DIR] [--now]
#       sets the flag (it survives a reboot), kills what actions are running, and says so; checks and alerts go on.
#       A package manager that is running is let finish, for a killed one is worse; --now kills it too.
#   stop-agents.sh [--state-dir DIR]
#       asks the engine to finish its action and end.
# Exit: 0 done, 1 the flag could not be written (the engine was ended instead), 2 wrong usage, 3 nothing to stop was found.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=""
# shellcheck source=scripts/find-state.sh
. "$(dirname -- "$0")/find-state.sh"

usage() { sed -n '2,8p' "$0" | cut -c3-; }

emergency=no now=no reason="no reason given" given=""
while [ $# -gt 0 ]; do
    case $1 in
        --emergency) emergency=yes ;;
        --now) now=yes ;;
        --reason) reason=${2:?--reason TEXT}; shift ;;
        --state-dir) given=${2:?--state-dir DIR}; shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "unknown argument: $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

# Prints fields of /proc/PID/stat behind the name, which may hold anything: state ppid pgrp session ... starttime is the 20th.
stat_of() { line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; printf '%s\n' "${line##*) }"; }
field() {
    # shellcheck disable=SC2046  # words are wanted here; set -f keeps them from being patterns
    set -f -- $(stat_of "$1") "$2"
    case $# in [0-9] | 1[0-9] | 20) return 1 ;; esac
    shift 2
    case $(eval "printf %s \"\${$#}\"") in
        group) echo "$1" ;; session) echo "$2" ;; start) echo "${18}" ;;
    esac
}
name_of() { cat "/proc/$1/comm" 2>/dev/null; }

engine_pid() {
    trusted "$state/engine.lock" || return 1
    read -r pid start <"$state/engine.lock" || return 1
    [ "$(field "$pid" start)" = "$start" ] && echo "$pid"
}

set_flag() {
    flag=$state/EMERGENCY_STOP
    text="set $(date -u +%Y-%m-%dT%H:%M:%SZ) by ${SUDO_USER:-$(id -un)}: $(printf '%s' "$reason" | tr -cd '[:print:]' | cut -c1-300)"
    [ -e "$flag" ] && return 0
    # Renaming needs no free block; what it says is written over what the prepared file holds.
    mv -f "$state/.emergency-stop-prepared" "$flag" 2>/dev/null || : 2>/dev/null >"$flag" || return 1
    printf '%s\n' "$text" 1<>"$flag" 2>/dev/null || :
    sync "$flag" "$state" 2>/dev/null || :
    [ -e "$flag" ]
}

# True if a package manager works in this process group.
packaging() {
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        case $(name_of "$pid") in
            dpkg* | apt | apt-get | aptitude | rpm | dnf | yum) [ "$(field "$pid" "$2")" = "$1" ] && return 0 ;;
        esac
    done
    return 1
}

# Kills what one record of running/ names: the group, if its leader still is the one that was recorded; else the members of
# its session that started after the record.
kill_action() {
    read -r group start since <"$1" || return 1
    case $group$start$since in '' | *[!0-9]*) return 1 ;; esac
    [ "$group" -gt 1 ] || return 1
    if [ "$now" = no ] && { packaging "$group" group || packaging "$group" session; }; then
        echo "  finishing ${1##*/} (a package manager is let finish, nothing more is started; --now kills it)"
        return 0
    fi
    if [ "$(field "$group" start)" = "$start" ]; then
        kill -KILL "-$group" 2>/dev/null && echo "  killed    ${1##*/} (process group $group)"
        return 0
    fi
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        [ "$(field "$pid" session)" = "$group" ] || continue
        began=$(field "$pid" start) && [ "${began:-0}" -ge "$since" ] && kill -KILL "$pid" 2>/dev/null \
            && echo "  killed    ${1##*/} (process $pid)"
    done
}

end_engine() {
    pid=$(engine_pid) && kill -KILL "$pid" 2>/dev/null && echo "  ended     the engine (pid $pid)"
    if [ -d /run/systemd/system ] && systemctl cat zen-agents.service >/dev/null 2>&1; then
        systemctl stop zen-agents.service
        if systemctl mask zen-agents.service 2>/dev/null; then
            echo "  masked    zen-agents.service (undo: systemctl unmask zen-agents.service)"
        else
            systemctl mask --runtime zen-agents.service
            echo "  masked    zen-agents.service ONLY UNTIL REBOOT: /etc cannot be written"
        fi
    fi
}

find_state "$given" || exit 3
if [ "$emergency" = no ]; then
    pid=$(engine_pid) || { echo "no engine runs on $state"; exit 3; }
    kill -TERM "$pid" && echo "asked the engine (pid $pid) to finish its action and end"
    exit
fi

code=0
if set_flag; then
    echo "EMERGENCY STOP $(head -c 400 "$state/EMERGENCY_STOP" | head -n 1) on $(uname -n) (flag $state/EMERGENCY_STOP, survives reboot)"
else
    echo "THE FLAG COULD NOT BE WRITTEN to $state; ending the engine instead. The stop lasts until it is started again."
    code=1
    end_engine
fi
for record in "$state"/running/act-*; do
    trusted "$record" && kill_action "$record"
done
[ "$code" = 0 ] && echo "Checks and alerts keep running. Nothing will be changed until: zen-agents resume --from-emergency --confirm $(uname -n)"
echo "Look at: $(dirname -- "$0")/audit-logs.sh --last 1h"
exit $code
