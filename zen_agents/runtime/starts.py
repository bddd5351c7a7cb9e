"""How often an engine was started lately: one that starts in a loop goes to safe mode."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from zen_agents.engine.parts import Parts
from zen_agents.errors import StoreError

#: Starts remembered for "restarting in a loop".
STARTS_KEPT = 20


def count_start(parts: Parts, in_force: Mapping[str, Any]) -> None:
    """Remember this start and what is in force in it, and go to safe mode if there were too many."""
    store, now = parts.store, parts.clock.now()
    try:
        starts: list[float] = json.loads(store.get("starts") or "[]")
        starts = [*starts[-STARTS_KEPT:], now.steady]
        store.put("starts", json.dumps(starts))
        parts.journal.engine(now, "started", **in_force, pid=os.getpid())
        store.commit()
        parts.safe_mode.started(starts)
    except StoreError as error:
        parts.safe_mode.store_failed(str(error))
