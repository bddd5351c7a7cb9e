"""What the runtime does for its engine now and then, and when a person asks for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zen_agents.adapters.host_state import keep_head
from zen_agents.errors import HostError
from zen_agents.wiring.state import counted_seconds

if TYPE_CHECKING:
    from zen_agents.runtime.runtime import Runtime

log = logging.getLogger("zen_agents.runtime")

#: The steady timeline is saved this often (seconds): so much of it could be lost over a reboot.
SAVE_TIME_EVERY = 60.0


class RuntimeUpkeep:
    """Implements `engine.upkeep.Upkeep`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._saved_at = float("-inf")

    def save_time(self) -> None:
        """Save the anchor of the steady timeline, once a minute."""
        store, clock = self._runtime.store, self._runtime.clock
        now = clock.now().steady
        if now - self._saved_at >= SAVE_TIME_EVERY:
            self._saved_at = now
            store.save_anchor(clock.anchor())
            store.sign_waiting(clock.now())
            store.commit()
            keep_head(store, self._runtime.options.state_dir)

    def prune(self) -> None:
        """Drop what retention no longer keeps."""
        runtime, kept = self._runtime, self._runtime.configuration.settings.retention
        now, counted = runtime.clock.now().steady, counted_seconds(runtime.parts.policy, runtime.parts.flapping)
        runtime.store.prune(
            metrics_before=now - kept.metrics.total_seconds(),
            decisions_before=now - kept.decisions.total_seconds(),
            actions_before=now - max(kept.actions.total_seconds(), counted),
        )
        self.keep_files()

    def keep_files(self) -> None:
        """Hold the quarantine to what the configuration says; one that cannot be read keeps everything."""
        kept = self._runtime.configuration.settings.retention
        try:
            self._runtime.controls.keep_files(kept.quarantine.total_seconds(), kept.quarantine_size)
        except HostError as error:
            log.error("nothing was dropped from the quarantine: %s", error)

    async def good_tick(self) -> None:
        """Ping the heartbeat address, if there is one."""
        await self._runtime.outbox.good_tick()

    def accept_state(self) -> None:
        """Take the state as this host's own: a person has looked."""
        self._runtime.ownership.accept()
        self._runtime.parts.foreign = ""

    def config_facts(self) -> Mapping[str, Any]:
        """Return which configuration is in force, and why a newer one is not."""
        return self._runtime.configuration.facts(self._runtime.clock.now())

    def config_trouble(self) -> Mapping[str, Any] | None:
        """Return why a newer configuration is not in force, and for how long."""
        return self._runtime.configuration.trouble(self._runtime.clock.now())

    async def reload(self) -> Mapping[str, Any]:
        """Load the configuration anew and swap it in, or leave everything as it is and raise SettingsError."""
        return await self._runtime.reloading.reload()
