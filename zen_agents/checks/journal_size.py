"""How much room the journal takes."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.journal_files import journal_files


class JournalSizeCheck(Check):
    """Observes `journal.bytes`: all files of this host's own journal, those it writes to as well."""

    kind = "journal"
    summary = "How much room does the journal take?"
    observes = ("journal.bytes",)

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="journal", target="journal:system", every_seconds=every_seconds)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """List its directories."""
        files = journal_files(host)
        size = sum(file.size for file in files)
        return (
            measured(self, "journal.bytes", now, size, f"the journal takes {size_in_words(size)} in {len(files)} files"),
        )
