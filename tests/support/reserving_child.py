"""A process that reserves and finishes actions and says on standard output what is durable; tests kill it.

    python -m tests.support.reserving_child STATE_DB COUNT START_STEADY

Each line it prints was made durable before: `opened`, `reserved ID`, `finished ID`, `refused ID`, `failed ID`, `pruned`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.support.state import an_entry, an_intent, an_outcome
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant, ManualClock
from zen_agents.errors import RefusedError, StoreError
from zen_agents.model.action import OutcomeKind

LIMIT = 3


def main(path: Path, count: int, start: float) -> None:
    """Do `count` rounds on targets of their own."""
    clock = ManualClock(datetime(2026, 1, 4, tzinfo=UTC), start)
    store = SqliteStore(path)
    say("opened")
    for number in range(count):
        one_round(store, f"act-{start:.0f}-{number}", clock.advance(1.0))
    store.prune(metrics_before=0.0, decisions_before=start + 1.0, actions_before=0.0)
    say("pruned")
    store.close()


def one_round(store: SqliteStore, id: str, now: Instant) -> None:
    """Decide, reserve, finish."""
    try:
        store.append(an_entry(f"dec-{id}", at=now))
        store.commit()
        say(f"decided {id}")
        store.reserve(an_intent(id, now, target=f"service:{id}"), hourly_limit=LIMIT)
        say(f"reserved {id}")
        store.finish(an_outcome(id, OutcomeKind.VERIFIED, now))
        say(f"finished {id}")
    except RefusedError:
        say(f"refused {id}")
    except StoreError:
        say(f"failed {id}")


def say(what: str) -> None:
    """Print at once, so that it is out before the process dies."""
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
