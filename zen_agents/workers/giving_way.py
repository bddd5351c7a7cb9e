"""A long reading of a PostgreSQL ends where somebody waits for it: a change of the table is held up by whoever reads it.

Who waits holds up all who come behind, so that a check of minutes would stop everybody's work.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

#: What is shorter is not watched; afterwards somebody is looked for so often (seconds).
_UNWATCHED: Final = 2.0
_LOOK_EVERY: Final = 1.0
_WAITING: Final = (
    "SELECT 1 FROM pg_catalog.pg_locks WHERE NOT granted AND %s = ANY (pg_catalog.pg_blocking_pids(pid)) LIMIT 1"
)


class GivingWay:
    """Looks beside a session, by one of its own, whether somebody waits for it, and cancels what it is at then.

    Where no second session is to be had nobody is looked for.
    """

    def __init__(self, psycopg: Any, connected_by: Mapping[str, Any], connection: Any, process: int) -> None:
        self._driver, self._connected_by, self._connection, self._process = psycopg, connected_by, connection, process
        self._is_over = threading.Event()
        #: Whether it was cancelled for somebody.
        self.has_given_way = False
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._is_over.set()

    def _watch(self) -> None:
        if self._is_over.wait(_UNWATCHED):
            return
        try:
            with closing(self._driver.connect(**self._connected_by, autocommit=True, prepare_threshold=None)) as beside:
                while not self._is_over.wait(_LOOK_EVERY):
                    if beside.execute(_WAITING, (self._process,)).fetchone() and not self._is_over.is_set():
                        self.has_given_way = True
                        self._connection.cancel()
        except self._driver.Error:
            return
