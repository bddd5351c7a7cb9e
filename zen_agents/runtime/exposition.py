"""What Prometheus is told of the engine, where the configuration says so; without a word of it nothing is loaded for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents import __version__

if TYPE_CHECKING:
    from zen_agents.adapters.metrics_export import MetricsExport
    from zen_agents.engine.measurements import Measurements
    from zen_agents.runtime.runtime import Runtime


class Exposition:
    """Exports one engine's measurements to a file, a socket, both or nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.measurements: Measurements | None = None
        self._export: MetricsExport | None = None

    async def open(self) -> None:
        """Export what the configuration in force wants, and nothing else any more."""
        await self.close()
        wanted = self._runtime.configuration.settings.metrics
        if wanted.textfile is None and wanted.listen is None:
            return
        from zen_agents.adapters.metrics_export import MetricsExport  # noqa: PLC0415

        self._export = MetricsExport(self._measured().text)
        host, _, port = (wanted.listen or "").rpartition(":")
        await self._export.open(
            file=Path(wanted.textfile) if wanted.textfile else None, every_seconds=wanted.every.total_seconds(),
            listen=(host.strip("[]"), int(port)) if wanted.listen else None,
        )  # fmt: skip

    async def close(self) -> None:
        """Export nothing any more."""
        if self._export is not None:
            await self._export.close()
            self._export = None

    def _measured(self) -> Measurements:
        """Return the measurements, counted since they were wanted first."""
        from zen_agents.engine.measurements import Measurements  # noqa: PLC0415

        if self.measurements is None:
            engine, recorder, outbox = self._runtime.engine, self._runtime.recorder, self._runtime.outbox
            self.measurements = Measurements(engine, recorder, lambda: outbox.delivered, __version__)
        return self.measurements
