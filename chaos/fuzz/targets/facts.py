"""A `--facts` file: facts with a moment, or an error that says what is wrong."""

from __future__ import annotations

from datetime import UTC
from math import isfinite

from chaos.fuzz.given import folder, put
from chaos.fuzz.promise import promise, unless_refused
from zen_agents.errors import UsageError
from zen_agents.rehearsal.facts import FactsHost, read_facts

SEEDS = (
    b"now: 2026-11-21T03:14:00+01:00\nobservations: {cpu.percent: 97, service.web: down, disk.percent@disk:/srv: 93}\n",
    b"now: 0001-01-01T00:00:00+14:00\nobservations: {}\n",
    b"now: 9999-12-31T23:59:59-12:00\nobservations: {a: up}\n",
    b"now: 2026-11-21\nobservations: {a: 1e308, b: 999999999999999999}\n",
    b"observations: [1]\n",
    b"now: {a: b}\nobservations: {1: up}\n",
)
WORDS = (b"now: ", b"observations: ", b"unknown", b"@disk:", b"T00:00:00Z", b"+23:59", b"0001-01-01", b"9999-12-31")


def fuzz(data: bytes) -> None:
    """Read one file and ask the host that it makes."""
    file = put(folder("facts") / "facts.yaml", data)
    if (facts := unless_refused(UsageError, lambda: read_facts(file))) is None:
        return
    facts.now.astimezone(UTC)
    promise(all(fact.value is None or isfinite(fact.value) for fact in facts.observations.values()), "a number without end")
    host = FactsHost(facts)
    for name in facts.observations:
        host.unit(name)
    host.mounts()
