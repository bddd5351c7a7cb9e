"""The state of an engine: opened, or replaced by one in memory; the host's name in it, and how long it is counted from."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from pathlib import Path

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError
from zen_agents.guards.base import Policy
from zen_agents.ports.store import Store
from zen_agents.rules.rule import FlapLimit
from zen_agents.settings.models import Settings

log = logging.getLogger("zen_agents.runtime")

#: An action that began before a window may have ended in it; and "keeps coming back" is told by the day (seconds).
_LOOK_BACK_SECONDS = 2 * 86400.0


def open_store(state_dir: Path, agents: Iterable[str]) -> tuple[SqliteStore, str]:
    """Return the state, or an empty one in memory and why: an engine that cannot write watches and tells (R14)."""
    try:
        store = SqliteStore(state_dir / "state.db")
    except StoreError as error:
        log.critical("%s", error)
        return SqliteStore.volatile(), str(error)
    try:
        store.require_readable(agents)
    except StoreError as error:
        log.critical("%s", error)
        store.close()
        return SqliteStore.volatile(), str(error)
    # Room for the next intent on a disk that fills up.
    store.keep_room()
    return store, ""


def resolve_host_name(settings: Settings, store: Store) -> str:
    """Return the host's name: the file's, else the one found first, so that it survives a boot without DNS.

    It is kept: what looks at the state alone names the host as the engine did.
    """
    kept = store.get("host_name")
    name = settings.host.name or kept or _found_name()
    if name != kept:
        try:
            store.put("host_name", name)
        except StoreError as error:
            log.error("the host's name was not kept, the next start asks again: %s", error)
    return name


def _found_name() -> str:
    own = socket.gethostname()
    try:
        # In bytes, of which its types do not know: for a text Python loads the tables of international names, 0.7 MB.
        name, aliases, _ = socket.gethostbyaddr(own.encode())  # type: ignore[arg-type]
    except OSError:
        return own
    # The first name with a domain, as `socket.getfqdn` has it.
    full = next((each for each in (name, *aliases) if "." in each), name)
    return own if full.startswith("localhost") else full


def counted_seconds(policy: Policy, flapping: FlapLimit) -> float:
    """Return how far limits and breakers look back: what they count is kept so long, whatever retention says."""
    limits = (policy.failures, policy.recurrence, policy.repairs, policy.housekeeping, policy.per_target)
    windows = [max(limit.within_seconds, limit.retry_after_seconds) for limit in limits]
    windows += [allowance.cooldown.total_seconds() for allowance in policy.allowed.values()]
    return _LOOK_BACK_SECONDS + max(*windows, flapping.within_seconds)
