"""What checks must not forget, kept with what came of it: a restart then loses nothing and repeats nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.checks.base import Check
from zen_agents.engine.sampler import Sampler
from zen_agents.errors import StoreError
from zen_agents.ports.store import Store
from zen_agents.store.ledger import canonical

log = logging.getLogger("zen_agents.remembering")


class Remembering:
    """The memories of one agent's checks. A check without one costs nothing."""

    def __init__(self, agent: str, store: Store, sampler: Sampler) -> None:
        self._agent, self._store, self._sampler = agent, store, sampler
        #: By name what was kept last, as JSON; None until the store was read.
        self._kept: dict[str, str] | None = None
        #: By name the memory itself that was kept last; nobody changes one that was given.
        self._last: dict[str, Mapping[str, Any]] = {}
        #: By name what was found to have changed, as JSON, until it is kept.
        self._found: dict[str, str] = {}
        #: Names of the checks that have something not to forget: few or none of thousands.
        self._names: frozenset[str] = frozenset()
        #: Checks whose last findings were thrown away: they are ahead of what came of them.
        self._ahead: set[str] = set()

    def take_over(self, checks: Iterable[Check]) -> None:
        """Give each check what the one of its name remembered, and forget what belongs to none."""
        if self._kept is None:
            self._kept = self._read()
        remembering = {check.name: check for check in checks if _remembers(check)}
        self._names = frozenset(remembering)
        for name in [*self._kept]:
            if name in remembering:
                remembering[name].recall(self._kept_of(name))
            else:
                self._drop(name)
        self._ahead.clear()
        self._last.clear()

    def catch_up(self, checks: Sequence[Check]) -> None:
        """Set back those that are due and ahead, so that they find again what was thrown away."""
        for check in checks if self._ahead else ():
            if check.name in self._ahead and not self._sampler.is_hung(check.name):
                check.recall(self._kept_of(check.name))
                self._ahead.discard(check.name)

    def changed(self, checks: Sequence[Check]) -> Mapping[str, Mapping[str, Any]]:
        """Return what these checks remember now, by name, where that is not what was kept last."""
        found: dict[str, Mapping[str, Any]] = {}
        for check in checks if self._names else ():
            if check.name not in self._names:
                continue
            if self._sampler.threw_away(check.name):
                self._ahead.add(check.name)
            memory = check.memory() if check.name not in self._ahead else None
            # A large one is not written out at each look to find that it is the one that was kept.
            if memory is None or memory is self._last.get(check.name):
                continue
            if (text := canonical(memory)) != (self._kept or {}).get(check.name):
                found[check.name], self._found[check.name] = memory, text
        return found

    def keep(self, memories: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the memories that `changed` returned within the pending batch."""
        kept = self._kept if self._kept is not None else {}
        for name, memory in memories.items():
            self._store.save_check_memory(self._agent, name, memory)
            kept[name], self._last[name] = self._found.pop(name), memory

    def _read(self) -> dict[str, str]:
        try:
            return dict(self._store.check_memories(self._agent))
        except StoreError as error:
            # Looking goes on from the present: better than not at all.
            log.error("what the checks of %s remembered cannot be read: %s", self._agent, error)
            return {}

    def _kept_of(self, name: str) -> Mapping[str, Any]:
        try:
            found = json.loads((self._kept or {}).get(name, "{}"))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            log.error("what %s remembered is damaged; it begins anew from what is there now", name)
            return {}
        return found

    def _drop(self, name: str) -> None:
        try:
            self._store.drop_check_memory(self._agent, name)
        except StoreError as error:
            log.error("what %s remembered is not needed any more and cannot be dropped: %s", name, error)
            return
        if self._kept is not None:
            del self._kept[name]


def _remembers(check: Check) -> bool:
    return type(check).memory is not Check.memory
