#!/bin/sh
# Stops all automatic changes, without Python, the network or the product, also with a hung engine and a full disk.
#   stop-agents.sh --emergency [--reason TEXT] [--state-dir DIR] [--now]
#       sets the flag (it survives a reboot), kills what actions are running, and says so; checks and alerts go on.
#       A package manager that is running is let finish, for a killed one is worse; --now kills it too.
#   stop-agents.sh [--state-dir DIR]
#       asks the engine to finish its action and end.
# Exit: 0 done, 1 the flag could not be written (the engine was ended instead), 2 wrong usage, 3 nothing to stop was found,
# 77 you may not.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=""
# shellcheck source=scripts/find-state.sh
. "$(dirname -- "$0")/find-state.sh"

usage() { sed -n '2,9p' "$0" | cut -c3-; }

emergency=no now=no reason="no reason given" given=""
while [ $# -gt 0 ]; do
    case $1 in
        --emergency) emergency=yes ;;
        --now) now=yes ;;
        --reason) wanted "$1" $#; reason=$2; shift ;;
        --state-dir) wanted "$1" $#; given=$2; shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "unknown argument: $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

# Sets life, group_of, session_of, began and comm of a process. Its name may hold anything, also blanks, newlines and brackets.
look_at() {
    line=""
    while IFS= read -r part || [ -n "$part" ]; do line="$line $part"; done 2>/dev/null <"/proc/$1/stat" || return 1
    case $line in *"("*") "*) ;; *) return 1 ;; esac
    comm=${line#*"("}
    comm=${comm%") "*}
    # shellcheck disable=SC2086  # words are wanted: state ppid pgrp session ..., the 20th is the start time
    set -- ${line##*") "}
    [ $# -ge 20 ] || return 1
    life=$1 group_of=$3 session_of=$4 began=${20}
}

number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

engine_pid() {
    pid="" start=""
    trusted "$state/engine.lock" && read -r pid start rest <"$state/engine.lock" || return 1
    : "${rest:=}"
    number "$pid" && number "$start" && look_at "$pid" && [ "$began" = "$start" ]
}

# Sets the flag; what it says is written over what the prepared file holds, for renaming needs no free block.
set_flag() {
    flag=$state/EMERGENCY_STOP
    trusted "$flag" && return 0
    if ! owned "$state"; then
        # A file there may lead root's hand anywhere, a new directory cannot; whatever stands there counts as set.
        mkdir "$flag" 2>/dev/null || [ -e "$flag" ] || [ -L "$flag" ]
        return
    fi
    who=${SUDO_USER:-$(id -un)}
    text="set $(date -u +%Y-%m-%dT%H:%M:%SZ) by $who: $(printf '%s' "$reason" | tr '\n\t' '  ' | plain | cut -c1-300)"
    mv -fT "$state/.emergency-stop-prepared" "$flag" 2>/dev/null || (umask 077 && : >"$flag") 2>/dev/null || return 1
    { printf '%-500s\n' "$text" 1<>"$flag"; } 2>/dev/null || :
}

# Collects the processes of the action whose group, session and start are known: in $members, and in $packaging if one of
# them is a package manager.
find_members() {
    members="" packaging=no
    for proc in /proc/[0-9]*; do
        look_at "${proc#/proc/}" || continue
        [ "$session_of" = "$group" ] || [ "$group_of" = "$group" ] || continue
        [ "$began" -ge "$since" ] || continue
        case $life in Z | X) continue ;; esac
        members="$members ${proc#/proc/}:$began"
        case $comm in
            dpkg* | apt | apt-get | aptitude | rpm | dnf* | yum | zypper | pacman | apk) packaging=yes ;;
        esac
    done
}

# Kills what one record of running/ names: GROUP START SINCE BOOT. A number that was given to another process meanwhile, or
# before the last boot, says that nothing is left of it: as long as one member lives the kernel gives its number to nobody.
kill_action() {
    name=${1##*/} group="" start="" since="" boot=""
    read -r group start since boot <"$1" || :
    if ! { number "$group" && number "$start" && number "$since" && [ "$group" -gt 1 ]; }; then
        echo "  no record $name (what it says is not a process)"
        return 0
    fi
    leader=no
    if look_at "$group"; then
        [ "$began" = "$start" ] && leader=yes || boot=another
    fi
    find_members
    if [ "$boot" != "$this_boot" ] || [ -z "$members" ]; then
        echo "  gone      $name"
    elif [ "$now" = no ] && [ $packaging = yes ]; then
        echo "  finishing $name (a package manager is let finish, nothing more is started; --now kills it)"
    else
        [ $leader = no ] || kill -KILL "-$group" 2>/dev/null
        for member in $members; do
            look_at "${member%:*}" && [ "$began" = "${member#*:}" ] && kill -KILL "${member%:*}" 2>/dev/null
        done
        echo "  killed    $name (process group $group)"
    fi
}

end_engine() {
    unit_pid=""
    engine_pid || pid=""
    if [ -d /run/systemd/system ]; then
        unit_pid=$(systemctl show --property=MainPID --value zen-agents.service 2>/dev/null)
    fi
    # Whoever starts it again is told first.
    if [ -n "$pid" ] && [ "$unit_pid" = "$pid" ]; then
        if systemctl mask zen-agents.service 2>/dev/null; then
            echo "  masked    zen-agents.service (undo: systemctl unmask zen-agents.service)"
        elif systemctl mask --runtime zen-agents.service; then
            echo "  masked    zen-agents.service ONLY UNTIL REBOOT: /etc cannot be written"
        fi
    fi
    if [ -z "$pid" ]; then
        echo "  no engine runs there"
    elif kill -KILL "$pid"; then
        echo "  ended     the engine (pid $pid)"
    fi
}

find_state "$given" || exit 3
[ -x "$state" ] || { echo "you may not look into $state; run this as its owner or as root" >&2; exit 77; }
if [ "$emergency" = no ]; then
    engine_pid || { echo "no engine runs on $state"; exit 3; }
    kill -TERM "$pid" || exit 77
    echo "asked the engine (pid $pid, state $state) to finish its action and end"
    exit 0
fi

code=0
if set_flag; then
    said=$(head -c 400 "$flag" 2>/dev/null | head -n 1 | plain | sed 's/ *$//')
    echo "EMERGENCY STOP ${said:-set} on $(uname -n) (flag $flag, survives reboot)"
else
    echo "THE FLAG COULD NOT BE WRITTEN to $state; ending the engine instead. The stop lasts until it is started again."
    code=1
    end_engine
fi
{ read -r this_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || this_boot=-
for record in "$state"/running/act-*; do
    if trusted "$record" && [ -f "$record" ]; then
        kill_action "$record"
    elif [ -e "$record" ]; then
        echo "  left      ${record##*/} (root does not believe a record that is not its own; run this as its owner too)"
    fi
done
# Last, for a disk that hangs must not keep what runs alive.
[ "$code" = 1 ] || sync "$flag" "$state" 2>/dev/null || sync
[ "$code" = 1 ] || echo "Checks and alerts keep running. Nothing will be changed until: zen-agents resume --from-emergency --confirm $(uname -n)"
echo "Look at: $(dirname -- "$0")/audit-logs.sh --last 1h"
exit $code
