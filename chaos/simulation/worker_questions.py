"""What workers are asked about a simulated host: certificates, packages, environments, pools and data sets."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.simulation.asking import Questions
from zen_agents.jobs.table_repair import PutBack
from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen
from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion, DebianTrial, DebianTried
from zen_agents.model.environment import Environment, Holding, Resolution, Wanted
from zen_agents.model.package_look import PackageLook, PackageQuestion
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.ports.host_datasets import DataQuestion, LookTold, RepairLook, SnapshotQuestion
from zen_agents.ports.host_files import FileState


class WorkerQuestions(Questions):
    """The part of `SimulatedView` that answers in the place of workers: what was written down for them."""

    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        del timeout_seconds
        return self._ask("certificate", lambda: self._host.certificates.look(asked))

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        return self._ask("certificate_file", lambda: self._host.certificates.in_file(asked))

    async def packages(self, asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
        del timeout_seconds
        return self.packages_now(asked)

    def packages_now(self, asked: PackageQuestion) -> PackageLook:
        """Return what is written for the place; nothing could be told of any other."""
        nothing = PackageLook(untold=(f"{asked.place} is not there",))
        return self._ask("packages", lambda: self._host.packages.get(asked.place, nothing))

    def environment_upgrade(self, environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
        del timeout_seconds
        return self._ask("environment_upgrade", lambda: self._host.environments.resolve(environment, wanted))

    def environment_holding(self, venv: str) -> Holding:
        return self._ask("environment_holding", lambda: self._host.environments.holding(venv))

    def kept_environment(self, id: str) -> tuple[str, Holding]:
        return self._ask("kept_environment", lambda: self._host.environments.kept_holding(id))

    async def pool(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        return self.pool_now(asked, timeout_seconds)

    def pool_now(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        del timeout_seconds
        return self._ask("pool", lambda: self._host.pools.look(asked))

    async def check_data(self, asked: DataQuestion, told: LookTold | None = None) -> str:
        del told
        looks = {**self._host.datasets, **(self._host.spoiled_looks if asked.dataset in self._host.tables else {})}
        return self._ask("check_data", lambda: looks.get(asked.dataset, ""))

    async def look_at_repair(self, look: RepairLook, told: LookTold) -> None:
        self._ask("look_at_repair", lambda: None)
        told(look.asked.dataset, 1.0)

    def repair_known(self, look: RepairLook) -> str:
        return self._ask("repair_known", lambda: self._found(look))

    def _found(self, look: RepairLook) -> str:
        dataset = look.asked.dataset
        if look.kind == "rows_back":
            return PutBack(rows=1, back=int((dataset, look.kept) not in self._host.kept_rows)).model_dump_json()
        known = {"table": self._host.tables, "failing": self._host.failing_files}.get(look.kind, self._host.repairs)
        return known.get(dataset, "{}")

    def forget_repair(self, dataset: str) -> None:
        """Nothing is remembered here."""

    async def keep_snapshot(self, asked: SnapshotQuestion) -> bool:
        del asked
        return self._ask("keep_snapshot", lambda: False)

    def snapshots(self, dataset: str, path: str, directory: str) -> Sequence[FileState]:
        del dataset, path, directory
        return self._ask("snapshots", lambda: ())

    async def debian_packages(self, asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
        del timeout_seconds
        return self.debian_packages_now(asked)

    def debian_packages_now(self, asked: DebianQuestion) -> DebianLook:
        return self._ask("debian_packages", lambda: self._host.debian.look(asked))

    async def debian_trial(self, asked: DebianTrial) -> DebianTried:
        return self._ask("debian_trial", lambda: self._host.debian.tried(asked.installs))
