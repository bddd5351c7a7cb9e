"""What a look at a Linux host says of a service's last good configuration; what finds it is loaded by the first question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zen_agents.adapters.last_good import LastGood
    from zen_agents.adapters.linux_host import LinuxHost
    from zen_agents.ports.host_commands import Command, CommandResult
    from zen_agents.ports.host_last_good import KeptVersion


class LastGoodLook:
    """The part of `LinuxView` that implements `ports.host_last_good.LastGoodView`."""

    _host: LinuxHost

    def test_configuration(self, command: Command) -> CommandResult:
        """Run a configuration's own test; not remembered."""
        from zen_agents.adapters.last_good import run_test  # noqa: PLC0415 - only where a service lists its files

        return run_test(command)

    def last_good(self, service: str) -> Sequence[KeptVersion]:
        """Return a service's last good configuration, () if there is none; not remembered."""
        return self._last_good().find(service)

    def last_good_content(self, version: KeptVersion) -> bytes:
        """Return what a file of it held; HostError if that is damaged."""
        return self._last_good().content(version)

    def keep_last_good(self, service: str, contents: Mapping[str, bytes], kept_at: str) -> None:
        """Keep files as a service's last good configuration."""
        self._last_good().keep(service, contents, kept_at)

    def _last_good(self) -> LastGood:
        from zen_agents.adapters.last_good import LastGood  # noqa: PLC0415 - as above

        return LastGood(self._host.state_dir)
