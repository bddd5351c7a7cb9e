#!/bin/sh
# Shows what was done on this host, and by whom, without Python or the database.
#   audit-logs.sh [--last 1h] [--state-dir DIR]       the last 90s, 15m, 1h or 7d; everything without --last
# The verified record is the ledger: zen-agents audit verify.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=""
# shellcheck source=scripts/find-state.sh
. "$(dirname -- "$0")/find-state.sh"

last="" given="" since=0
while [ $# -gt 0 ]; do
    case $1 in
        --last) wanted "$1" $#; last=$2; shift ;;
        --state-dir) wanted "$1" $#; given=$2; shift ;;
        -h | --help) sed -n '2,4p' "$0" | cut -c3-; exit 0 ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
    shift
    [ -n "$last$given" ] || { echo "an option has an empty value; see --help" >&2; exit 2; }
done
if [ -n "$last" ]; then
    number=${last%[smhd]}
    case $number in
        "$last") echo "--last needs a unit, such as 90s, 15m, 1h or 7d, not '$last'" >&2; exit 2 ;;
        '' | *[!0-9]* | ?????????*) echo "--last takes a duration such as 90s, 15m, 1h or 7d, not '$last'" >&2; exit 2 ;;
    esac
    # A leading zero would make it octal.
    while [ "${number#0}" != "$number" ] && [ -n "${number#0}" ]; do number=${number#0}; done
    case $last in *s) unit=1 ;; *m) unit=60 ;; *h) unit=3600 ;; *d) unit=86400 ;; esac
    since=$(($(date +%s) - number * unit))
fi
find_state "$given" || exit 3
# The older half first; it is there once the log was full.
set --
for log in "$state/actions.log.1" "$state/actions.log"; do
    if [ -f "$log" ] && [ ! -L "$log" ]; then
        [ -r "$log" ] || { echo "$log may not be read by you; try as root" >&2; exit 1; }
        set -- "$@" "$log"
    fi
done
[ $# -gt 0 ] || { echo "nothing was done yet: $state/actions.log is not there"; exit 0; }

# TIME EPOCH KIND ID ACTION TARGET BY OUTCOME DETAIL, separated by tabs.
cat -- "$@" | plain | awk -F '\t' -v since="$since" '
    BEGIN { format = "%-20s  %-8s %-12s %-20s %-26s %-12s %-10s %s\n"
            printf format, "TIME (UTC)", "WHAT", "ID", "ACTION", "TARGET", "BY", "OUTCOME", "DETAIL" }
    NF >= 9 && $2 + 0 >= since { printf format, $1, tolower($3), $4, $5, $6, $7, $8, substr($9, 1, 100); shown++; count[$3]++ }
    END { printf "%d lines: %d intents, %d outcomes, %d by people\n", shown, count["INTENT"], count["OUTCOME"], count["HUMAN"] }'
