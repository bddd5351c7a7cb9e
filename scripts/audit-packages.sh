#!/bin/sh
# Asks for known vulnerabilities of what the lock pins. Where the advisories cannot be asked, it says so and is no failure.
set -u
cd "$(dirname "$0")/.." || exit
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
.venv/bin/pip-audit --strict --disable-pip --no-deps -r requirements.lock --progress-spinner off >"$report" 2>&1
code=$?
if grep -q "Found .* known vulnerabilit" "$report"; then
    cat "$report"
    exit 1
fi
if [ "$code" -ne 0 ]; then
    echo "advisories could not be asked here (this is no statement about vulnerabilities): $(tail -n 1 "$report" | cut -c1-160)"
    exit 0
fi
cat "$report"
