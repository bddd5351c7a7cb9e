"""The state: whose it is, whether there is room for it, and whether it is whole."""

from __future__ import annotations

import os
import sqlite3
import stat
import time

from zen_agents.adapters.audit_key import KEY
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_file import open_read_only
from zen_agents.clock import SystemClock
from zen_agents.doctor.examination import Finding, Site, State, fine
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind

#: With less than this free (bytes, inodes) the ledger may not be written much longer.
_LOW_BYTES, _FEW_BYTES = 64 << 20, 256 << 20
_FEW_INODES = 1000
#: The whole file is read for at most this long (seconds).
_AT_MOST = 5.0
#: SQLite asks whether to go on after so many of its steps.
_STEPS = 10_000
_DAY = 86400.0


def directory(site: Site) -> Finding:
    """May nobody else read or write the state?"""
    folder = site.state_dir
    if not folder.is_dir():
        return Finding(State.FAILED, f"there is no {folder}: no engine has run on it", "zen-agents run, or --state-dir DIR")
    found = folder.stat()
    if found.st_mode & (stat.S_IWGRP | stat.S_IRWXO):
        return Finding(State.FAILED, f"{folder} has mode {stat.S_IMODE(found.st_mode):04o}", f"chmod 0700 {folder}")
    if found.st_uid not in (0, os.geteuid()):
        return Finding(State.WARNING, f"{folder} belongs to uid {found.st_uid}", "run this as that account")
    return fine(f"{folder} is the engine's alone")


def room(site: Site) -> Finding:
    """Is there room to write?"""
    held = os.statvfs(site.state_dir)
    free = held.f_bavail * held.f_frsize
    text = f"{free >> 20} MiB free for {site.state_dir}"
    if held.f_files and held.f_favail < _FEW_INODES:
        return Finding(State.FAILED, f"{held.f_favail} inodes free for {site.state_dir}", "remove small files there")
    if free < _LOW_BYTES:
        return Finding(State.FAILED, text, "make room; without any, nothing is acted on")
    return Finding(State.WARNING, text, "make room soon") if free < _FEW_BYTES else fine(text)


def database(site: Site) -> Finding:
    """Is the file whole?"""
    path = site.state_dir / "state.db"
    if not path.exists():
        return Finding(State.UNKNOWN, "there is no state yet", "zen-agents run")
    try:
        file = open_read_only(path)
    except StoreError as error:
        return _damaged(site, str(error))
    ends = time.monotonic() + _AT_MOST
    try:
        file.connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        said = str(file.connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if time.monotonic() > ends:
            how = f'sqlite3 {path} "PRAGMA quick_check" takes longer, and tells'
            return Finding(State.UNKNOWN, f"{path} was not read to its end within {_AT_MOST:.0f} s", how)
        return _damaged(site, str(error))
    except sqlite3.DatabaseError as error:
        return _damaged(site, str(error))
    finally:
        file.close()
    return fine(f"{path} is whole ({path.stat().st_size >> 20} MiB)") if said == "ok" else _damaged(site, said)


def _damaged(site: Site, said: str) -> Finding:
    how = f"keep a copy of {site.state_dir}, then move state.db away: the next start makes another one"
    return Finding(State.FAILED, f"state.db cannot be used: {' '.join(said.split())}", how)


def signing_key(site: Site) -> Finding:
    """Is the key that signs the ledger secret?"""
    path = site.state_dir / KEY
    if not path.exists():
        return Finding(State.WARNING, "the ledger has no key yet, so it is not signed", "zen-agents run makes one")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        how = f"mv {path} {path}.old: the next start makes another one; then zen-agents audit verify"
        return Finding(State.FAILED, f"{path} has mode {mode:04o}: others may have read it", how)
    return fine("the ledger is signed (zen-agents audit verify checks it)")


def outcomes(site: Site) -> Finding:
    """Is it known of every action of the last day whether it worked?"""
    store = SqliteStore.open_read_only(site.state_dir / "state.db")
    try:
        now = SystemClock(store.anchor()).now().steady
        unknown = [row for row in store.actions(since=now - _DAY, limit=1000) if row.kind is OutcomeKind.UNKNOWN]
    finally:
        store.close()
    if unknown:
        text = f"it is not known whether {unknown[0].id} worked ({unknown[0].action} {unknown[0].target})"
        return Finding(State.WARNING, text, f"zen-agents why {unknown[0].id}")
    return fine("every action of the last day has a known outcome")
