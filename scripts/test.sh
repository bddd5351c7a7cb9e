#!/bin/sh
# Sets everything up where that is needed, then runs the tests. Arguments go to pytest:
#   ./scripts/test.sh                    all of them
#   ./scripts/test.sh tests/unit -x      some of them
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
set_up requirements-dev.lock

# Tests that need a program which is not here are skipped with that reason; root may fetch the programs.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && [ ! -e .venv/.debian-packages ]; then
    missing=""
    # A real certificate authority and its clients, and the firewall's program: what repairs talk to.
    clients="pebble certbot lego nftables"
    # Services that packs and pools are about; only where no systemd runs that would start them on this machine.
    [ -d /run/systemd/system ] && served="" || served="nginx redis-server postgresql pgbouncer"
    for package in dbus systemd procps iproute2 shellcheck e2fsprogs gcc libc6-dev monit debsecan $clients $served; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    # shellcheck disable=SC2086  # a list of names, one word each
    if [ -n "$missing" ]; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing; } \
            >/dev/null 2>&1 || say "could not install:$missing; tests that need them are skipped"
    fi
    : > .venv/.debian-packages
fi

# Two thirds of a collection are compiling, which every worker and every process of a test would do again for itself.
unset PYTHONDONTWRITEBYTECODE
if [ $# -eq 0 ]; then
    "$python" -m pytest --collect-only -q tests/unit >/dev/null 2>&1 &
    "$python" -m pytest --collect-only -q tests --ignore=tests/unit >/dev/null 2>&1 &
    wait
    # Most of a test's time is waiting for real processes: three times as many workers as processors keep these busy.
    set -- -n $((3 * $(nproc))) --dist worksteal
fi
exec "$python" -m pytest "$@"
