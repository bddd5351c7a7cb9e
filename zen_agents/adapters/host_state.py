"""Whether a state belongs to this host and is as new as it was (R34): another machine, a restored copy, a lost store."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError

log = logging.getLogger("zen_agents.host_state")

#: As root, names the state directory that this host has had; made by the set-up of the host.
HOST_STATE = Path("/etc/zen-agents/host-state")
#: Beside the store: number and hash of the ledger's last entry when it was last looked at.
HEAD = "ledger.head"


def why_foreign(store: SqliteStore, state_dir: Path, machine_id: str, *, host_state: Path = HOST_STATE) -> str:
    """Return why the engine may only observe on this state, "" if it is this host's own and whole."""
    kept = store.get("machine_id")
    if kept is None:
        return _lost(state_dir, host_state)
    if kept != machine_id:
        return "the state is from another machine"
    try:
        (before, digest), now = _read_head(state_dir), store.head()[0]
        kept_entry = store.entries(since=before - 1, limit=1) if 0 < before <= now else ()
    except (OSError, ValueError) as error:
        return f"whether a copy was restored cannot be told, {HEAD} cannot be read: {error}"
    if now < before:
        return f"the ledger went back from entry {before} to {now}: a copy was restored"
    if kept_entry and kept_entry[0].hash != digest:
        return f"entry {before} of the ledger is another one than it was: it was rewritten, or a copy was restored"
    return ""


def _lost(state_dir: Path, host_state: Path) -> str:
    if os.geteuid() != 0 or not host_state.is_file():
        return ""
    if host_state.read_text(encoding="utf-8").strip() != str(state_dir):
        return ""
    return f"{host_state} says that this host had a state here, and it is new"


def accept(store: SqliteStore, state_dir: Path, machine_id: str, *, host_state: Path = HOST_STATE) -> None:
    """Take the state as this host's own, as it is now. Raises StoreError if that has to be written and cannot be."""
    # A state that is locked at the start is this host's own all the same.
    if store.get("machine_id") != machine_id:
        store.put("machine_id", machine_id)
    if os.geteuid() == 0 and host_state.parent.is_dir():
        with contextlib.suppress(OSError):  # a read-only /etc: the next start says so no worse than this one
            replace_durably(host_state, f"{state_dir}\n".encode(), mode=0o644)
    keep_head(store, state_dir)


def accept_own(store: SqliteStore, state_dir: Path, machine_id: str, *, host_state: Path = HOST_STATE) -> str:
    """Take the state as it is now if it is this host's own; else return why the engine may only observe on it."""
    try:
        why = why_foreign(store, state_dir, machine_id, host_state=host_state)
        if not why:
            accept(store, state_dir, machine_id, host_state=host_state)
    except StoreError as error:
        # Who cannot tell acts on nothing (R4); watching and telling go on (R14).
        return f"whether the state is this host's own cannot be told or noted: {error}"
    return why


def keep_head(store: SqliteStore, state_dir: Path) -> None:
    """Remember how far the ledger is, outside the store; a full disk is no reason to stop."""
    if not store.writable():
        return
    try:
        # Only what is durable may be remembered as the head: a lost batch must not look like a restored copy.
        store.commit()
        seq, digest = store.head()
        replace_durably(state_dir / HEAD, f"{seq} {digest}\n".encode())
    except (OSError, StoreError) as error:
        log.warning("the ledger's head was not kept: %s", error)


def _read_head(state_dir: Path) -> tuple[int, str]:
    """Return number and hash of the last entry that was remembered, 0 if none ever was.

    Raises OSError or ValueError if that cannot be read.
    """
    try:
        seq, digest = (state_dir / HEAD).read_text(encoding="ascii").split()
    except FileNotFoundError:
        return 0, ""
    return int(seq), digest
