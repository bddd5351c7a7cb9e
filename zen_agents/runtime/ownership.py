"""Whose a state is, and who signs for what is written in it."""

from __future__ import annotations

import logging
from pathlib import Path

from zen_agents.adapters.audit_key import AuditKey
from zen_agents.adapters.host_state import accept, accept_own
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.syslog_witness import SyslogWitness
from zen_agents.clock import Instant
from zen_agents.engine.safe_mode import HOST
from zen_agents.errors import StoreError
from zen_agents.ports.host import Host
from zen_agents.ports.store import Brake
from zen_agents.wiring.machine import Machine

log = logging.getLogger("zen_agents.runtime")


class Ownership:
    """Judges a state by what stood there before this engine wrote anything."""

    def __init__(self, store: SqliteStore, state_dir: Path, machine: Machine, host: Host) -> None:
        self._store, self._state_dir, self._machine, self._host = store, state_dir, machine, host

    def foreign(self, now: Instant) -> str:
        """Return why only observing is right on this state (R34), "" if it is this host's own; set the brake accordingly."""
        why = accept_own(self._store, self._state_dir, self._machine_id(), host_state=self._machine.host_state)
        if not why:
            return ""
        self._store.set_brake(Brake("observe_only", HOST, why, "engine", now, None))
        return f"{why}; look at it, then: zen-agents resume --reason ..."

    def accept(self) -> None:
        """Take the state as this host's own: a person has looked."""
        accept(self._store, self._state_dir, self._machine_id(), host_state=self._machine.host_state)

    def _machine_id(self) -> str:
        return self._host.look().machine_id()

    def sign(self, now: Instant) -> str:
        """Sign the ledger from now on; return why not: an engine that cannot sign watches and acts, and says so."""
        if not self._store.writable():
            return ""
        try:
            key = AuditKey.of(self._state_dir)
            self._store.sign_with(key, SyslogWitness(self._machine.syslog), now)
            key.publish(self._state_dir)
        except StoreError as error:
            log.critical("%s", error)
            return str(error)
        return ""
