"""Commands run in this process, and a state for them to look at."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.schemas import as_promised, printed_as_promised
from tests.support.state import an_incident, an_intent, an_outcome
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.main import main
from zen_agents.cli.parsing import add_common
from zen_agents.clock import Instant, SystemClock
from zen_agents.model.action import Effect, Outcome, OutcomeKind
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.principal import Principal
from zen_agents.ports.store import BreakerRow

#: What a hostile log line or process name could hold: a colour, a cursor, a title, a bell, a line, a right-to-left override.
HOSTILE = "a\x1b[31mb\x1b]0;owned\x07c\x9b2Jd\re\nf\u202eg\x00h"


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str
    words: tuple[str, ...] = ()

    def json(self) -> Any:
        """Return what was printed for a program; fails if it is not as promised, where nothing was picked of it."""
        body = json.loads(self.out)
        return body if any(word.startswith("--json=") for word in self.words) else as_promised(body)


def command(*words: str) -> Done:
    """Run one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(words))
        except SystemExit as ended:  # argparse's --help
            code = int(ended.code or 0)
    printed_as_promised(words, out.getvalue())
    return Done(code, out.getvalue(), err.getvalue(), words)


def a_call(*words: str) -> Call:
    """Return a call with the flags that every command knows."""
    parser = argparse.ArgumentParser()
    add_common(parser)
    return Call(parser.parse_args(list(words)))


def guard(name: str, ruling: str = "allow", **more: Any) -> dict[str, Any]:
    """Return a guard's answer as it stands in the ledger."""
    return {"guard": name, "ruling": ruling, **more}


class WrittenState:
    """A state directory without an engine, in which a test writes what happened."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder
        self.store = SqliteStore(folder / "state.db")
        # Long after the beginning of the steady timeline, so that things may have happened before.
        self.clock = SystemClock(replace(SystemClock().anchor(), steady=1_000_000.0))
        self.store.save_anchor(self.clock.anchor())
        self._decisions = 0

    def __call__(self, *words: str) -> Done:
        """Run a command on this state."""
        self.store.commit()
        return command(*words, "--state-dir", str(self.path))

    def ago(self, seconds: float) -> Instant:
        return self.clock.now().after(-seconds)

    def incident(self, id: str, began: Instant, **changes: Any) -> None:
        base = an_incident(id, began, target=changes.pop("target", "service:web"))
        self.store.save_incident(replace(base, **{"rule": "system_health.web", **changes}))

    def decided(self, id: str, at: Instant, *, incident: str | None = "inc-aaaa11", **body: Any) -> None:
        facts = {"rule": "system_health.web", "target": "service:web", "outcome": "skip", "reason": "cooldown", **body}
        self.store.append(Entry(EntryKind.DECISION, id, at, "system_health", incident, None, facts))

    def happened(
        self, kind: EntryKind, id: str, at: Instant, body: Mapping[str, Any], *, incident: str | None = None,
        by: str = "engine",
    ) -> None:  # fmt: skip
        self.store.append(Entry(kind, id, at, by, incident, None, body))

    def acted(
        self, id: str, at: Instant, kind: OutcomeKind, *, incident: str | None = "inc-aaaa11", by: str = "",
        effect: Effect | None = None, target: str = "service:web",
    ) -> None:  # fmt: skip
        """Write an action from its intent to its outcome, or to where it is now."""
        intent = an_intent(id, at, target=target)
        who = Principal(by, 1000) if by else intent.plan.request.requested_by
        request = replace(intent.plan.request, incident=incident, requested_by=who)
        steps = (f'["systemctl", "restart", "{target.partition(":")[2]}.service"]',)
        intent = replace(intent, plan=replace(intent.plan, request=request, steps=steps))
        self.store.reserve(intent, hourly_limit=None)
        if kind is OutcomeKind.RUNNING:
            return
        outcome = an_outcome(id, OutcomeKind.VERIFYING, at.after(1.5))
        outcome = outcome if effect is None else replace(outcome, effect=effect)
        self.store.finish(outcome)
        if kind.is_final:
            self.judged(outcome, kind, at.after(4.0))

    def judged(self, outcome: Outcome, kind: OutcomeKind, at: Instant) -> None:
        """Write how an action that was being verified ended."""
        self.store.finish(replace(outcome, kind=kind, at=at, took_seconds=4.0))

    def broke(self, name: str, *, opened: float) -> None:
        now = self.clock.now().steady
        self.store.save_breaker(BreakerRow(name, "open", 4, 0, now - opened, ()))


def a_repair(state: WrittenState) -> None:
    """Write one repair from its first bad look to its end."""
    began = state.ago(60)
    state.incident(
        "inc-aaaa11", began, state=IncidentState.RESOLVED, opened_at=began, resolved_at=began.after(10),
        resolved_by="engine", detail="process 12 runs",
    )  # fmt: skip
    guards = [
        guard("emergency_stop", value="not set"), guard("mode", value="enforce"),
        guard("allow_list", value="service:web listed", origin="/etc/zen-agents/config.yaml:38:5"),
        guard("cooldown", value="10m, last run never"), guard("lease", value="free"),
    ]  # fmt: skip
    state.decided(
        "dec-aaaa11", began.after(1), outcome="act", reason="held", action="restart_service", detail="attempt 1 of 4",
        seen="connection refused", guards=guards,
    )  # fmt: skip
    state.acted("act-aaaa11", began.after(2), OutcomeKind.VERIFIED)
    state.decided("dec-aaaa12", began.after(3), reason="settling", seen="connection refused")
    state.decided("dec-aaaa13", began.after(5), outcome="resolve", reason="cleared", seen="accepts connections")
    state.happened(
        EntryKind.ALERT,
        "alr-aaaa11",
        began.after(6),
        {"kind": "resolved", "summary": "web recovered"},
        incident="inc-aaaa11",
    )
