"""What workers look at in the place of the engine: what strangers sent, other people's programs, much data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost
    from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen
    from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion, DebianTrial, DebianTried
    from zen_agents.model.environment import Environment, Holding, Resolution, Wanted
    from zen_agents.model.package_look import PackageLook, PackageQuestion
    from zen_agents.model.plugin import PluginAnswer
    from zen_agents.model.pool import PoolLook, PoolQuestion
    from zen_agents.ports.host_plugins import PluginCall


class WorkerLook:
    """Part of `LinuxView`: what starts the worker is loaded by the first question that needs it."""

    _host: LinuxHost

    async def plugin(self, call: PluginCall) -> PluginAnswer:
        """Run a plugin; see `PluginView`."""
        from zen_agents.adapters.plugin_run import run_plugin  # noqa: PLC0415 - only hosts that list plugins pay for it

        return await run_plugin(call, self._host.worker_turns)

    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        """Have a worker look at files and server; never remembered."""
        from zen_agents.adapters import linux_view_certificates  # noqa: PLC0415 - only hosts that list certificates pay

        return await linux_view_certificates.look(asked, timeout_seconds, self._host.worker_turns)

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        """Have a worker look at the files, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_view_certificates  # noqa: PLC0415 - see above

        return linux_view_certificates.look_at_files(asked)

    async def packages(self, asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
        """Have a worker look; never remembered."""
        from zen_agents.adapters import linux_packages  # noqa: PLC0415 - only hosts that list environments pay

        return await linux_packages.look(asked, timeout_seconds, self._host.worker_turns)

    def packages_now(self, asked: PackageQuestion) -> PackageLook:
        """Have a worker look, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_packages  # noqa: PLC0415 - see above

        return linux_packages.look_now(asked)

    async def pool(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Have a worker ask; never remembered."""
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - only hosts that list pools pay

        return await linux_pools.look(asked, timeout_seconds, self._host.worker_turns)

    def pool_now(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Have a worker ask, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - see above

        return linux_pools.look_now(asked, timeout_seconds)

    async def debian_packages(self, asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
        """Have a worker ask apt; never remembered."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - only hosts whose packages are looked after pay

        return await linux_debian.look(asked, timeout_seconds, self._host.worker_turns)

    def debian_packages_now(self, asked: DebianQuestion) -> DebianLook:
        """Have a worker ask apt, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - see above

        return linux_debian.look_now(asked)

    async def debian_trial(self, asked: DebianTrial) -> DebianTried:
        """Have a worker make an upgrade in a copy of the root."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - see above

        return await linux_debian.trial(asked)

    def environment_upgrade(self, environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
        from zen_agents.adapters.linux_environments import resolve_now  # noqa: PLC0415 - only hosts that list environments

        return resolve_now(environment, wanted, timeout_seconds)

    def environment_holding(self, venv: str) -> Holding:
        from zen_agents.adapters.linux_environments import holding  # noqa: PLC0415 - see above

        return holding(venv)

    def kept_environment(self, id: str) -> tuple[str, Holding]:
        from zen_agents.adapters.linux_environments import kept_holding  # noqa: PLC0415 - see above

        return kept_holding(Path(self._host.state_dir), id)
