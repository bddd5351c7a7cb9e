"""The maintenance windows that people start and end."""

from __future__ import annotations

import re
from typing import Any

from zen_agents.engine.engine import Engine
from zen_agents.engine.requests import confirm_if_long, seconds_of, text_of
from zen_agents.errors import UsageError
from zen_agents.guards.windows import EFFECTS, SCOPE, STARTED, started
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class WindowVerbs:
    """Answers `maintenance_start` and `maintenance_end`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(self, args: dict[str, Any], who: Principal) -> Any:
        """Open a window from now on; one of that name that is open already is replaced."""
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        name, effect, seconds = self._name(args), text_of(args, "effect", "no_actions"), seconds_of(args)
        if effect not in EFFECTS:
            raise UsageError(f"--effect {effect!r} is none; there are: {', '.join(EFFECTS)}")
        if (origin := self._planned(name)) is not None:
            raise UsageError(f"{name!r} is a window of the configuration ({origin}); take another name")
        confirm_if_long(args, seconds, self._engine.host_name, "a window")
        reason, scope = text_of(args, "reason"), f"{SCOPE}{name}"
        self._lift(scope)
        parts.store.set_brake(Brake(f"{STARTED}{effect}", scope, reason, who.name, now, now.steady + seconds))
        body = {"scope": scope, "effect": effect, "for_seconds": seconds, "reason": reason}
        parts.journal.human(now, who, "maintenance_start", body)
        self._engine.forget_waits(Reason.MAINTENANCE)
        return {"name": name, "effect": effect, "for_seconds": seconds}

    async def end(self, args: dict[str, Any], who: Principal) -> Any:
        """Close a window that a person started; UsageError for one that is not open, or is the configuration's."""
        parts, now, name = self._engine.parts, self._engine.parts.clock.now(), self._name(args)
        open_now = [window.name for window in started(parts.store.brakes(), now.steady)]
        if name not in open_now:
            if (origin := self._planned(name)) is not None:
                raise UsageError(f"{name!r} is a window of the configuration: change {origin}, then zen-agents reload")
            known = f"; started are: {', '.join(open_now)}" if open_now else "; nobody started one"
            raise UsageError(f"no window {name!r} is open{known}")
        self._lift(f"{SCOPE}{name}")
        body = {"scope": f"{SCOPE}{name}", "reason": text_of(args, "reason", "")}
        parts.journal.human(now, who, "maintenance_end", body)
        self._engine.forget_waits(Reason.MAINTENANCE)
        return {"name": name}

    def _name(self, args: dict[str, Any]) -> str:
        name = text_of(args, "name")
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a window: letters, digits, dots and dashes, at most 60")
        return name

    def _planned(self, name: str) -> str | None:
        """Return where the configuration has a window of this name, None if it has none."""
        planned = (window for window in self._engine.parts.policy.maintenance if window.name == name)
        return next((window.origin or "the configuration" for window in planned), None)

    def _lift(self, scope: str) -> None:
        for effect in EFFECTS:
            self._engine.parts.store.lift_brake(f"{STARTED}{effect}", scope)
