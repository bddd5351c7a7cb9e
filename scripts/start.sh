#!/bin/sh
# Sets everything up where that is needed, then runs the engine in the foreground. Arguments go to `zen-agents run`:
#   ./scripts/start.sh                                          watches this host, changes nothing that is not listed
#   ./scripts/start.sh -c config/examples/first-repair.yaml     keeps one small web server running
# The state is in ./.state unless ZEN_AGENTS_STATE_DIR or --state-dir says otherwise.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
set_up requirements.lock

has_config=no
for argument in "$@"; do
    case $argument in -c | -c?* | --config | --config=*) has_config=yes ;; esac
done
[ "$has_config" = yes ] || [ -n "${ZEN_AGENTS_CONFIG:-}" ] || set -- -c config/default.yaml "$@"
ZEN_AGENTS_STATE_DIR=${ZEN_AGENTS_STATE_DIR:-$PWD/.state}
export ZEN_AGENTS_STATE_DIR
# What is set already stays as it is.
while IFS='=' read -r name value; do
    case $name in '' | '#'*) continue ;; esac
    printenv "$name" >/dev/null || export "$name=$value"
done < scripts/engine.env
exec "$python" -m zen_agents run "$@"
