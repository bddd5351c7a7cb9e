#!/bin/sh
# Shows what was done on this host, and by whom, without Python or the database.
#   audit-logs.sh [--last 1h] [--state-dir DIR]       the last 90s, 15m, 1h or 7d; everything without --last
# The verified record is the ledger: zen-agents audit verify.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
state=""
# shellcheck source=scripts/find-state.sh
. "$(dirname -- "$0")/find-state.sh"

last="" given=""
while [ $# -gt 0 ]; do
    case $1 in
        --last) last=${2:?--last 1h}; shift ;;
        --state-dir) given=${2:?--state-dir DIR}; shift ;;
        -h | --help) sed -n '2,4p' "$0" | cut -c3-; exit 0 ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
    shift
done
case $last in
    "") since=0 ;;
    *[!0-9smhd]* | [!0-9]*) echo "--last takes a duration such as 90s, 15m, 1h or 7d, not '$last'" >&2; exit 2 ;;
    *s) since=${last%s} ;;
    *m) since=$((${last%m} * 60)) ;;
    *h) since=$((${last%h} * 3600)) ;;
    *d) since=$((${last%d} * 86400)) ;;
    *) echo "--last needs a unit: ${last}s, ${last}m, ${last}h or ${last}d?" >&2; exit 2 ;;
esac
find_state "$given" || exit 3
log=$state/actions.log
[ -r "$log" ] || { echo "nothing was done yet: $log is not there"; exit 0; }
[ -z "$last" ] || since=$(($(date +%s) - since))

# TIME EPOCH KIND ID ACTION TARGET BY OUTCOME DETAIL, separated by tabs; control characters never reach the terminal.
LC_ALL=C tr -d '\000-\010\013-\037\177' <"$log" | awk -F '\t' -v since="$since" '
    BEGIN { format = "%-20s  %-8s %-12s %-20s %-26s %-12s %-10s %s\n"
            printf format, "TIME (UTC)", "WHAT", "ID", "ACTION", "TARGET", "BY", "OUTCOME", "DETAIL" }
    NF >= 9 && $2 + 0 >= since { printf format, $1, tolower($3), $4, $5, $6, $7, $8, substr($9, 1, 100); shown++; count[$3]++ }
    END { printf "%d lines: %d intents, %d outcomes, %d by people\n", shown, count["INTENT"], count["OUTCOME"], count["HUMAN"] }'
