"""Settings of `agents.system_health`. The specification's five keys are enough; everything else has a default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from zen_agents.agents.agent_settings import AgentSettings
from zen_agents.agents.system_health.threshold_settings import (
    Breach,
    Ladder,
    Thresholds,
    check_order,
)
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, Name, PositiveDuration, Threshold
from zen_agents.model.section import Apart, Entries, Section, part
from zen_agents.model.severity import Severity

#: Hysteresis where `clear` is not given: percent points below the threshold.
CLEAR_BELOW = 5.0


def _of(model: str) -> Entries:
    """Return the entries of an area; its file is read if there are any."""
    return Entries(f"zen_agents.agents.system_health.areas.{model}")


def _one(model: str) -> Apart:
    """Return the one section of an area; its file is read if it is written."""
    return Apart(f"zen_agents.agents.system_health.areas.{model}")


class UserRule(Section):
    """A rule of your own over anything that is observed."""

    when: Line = Field(description="expression over observations, like `avg(load1, 5m) > cpus * 2`")
    held_for: Duration = Field(timedelta(0), alias="for", description="how long it must hold before it counts")
    clear: Line | None = Field(None, description="expression that says when it is over; empty: when `when` no longer holds")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    target: Line = Field("host", description="what it is about: host, service:NAME, path:NAME, disk:/mountpoint ...")
    on_match: Ladder = ()
    runbook: Line = Field("", description="address of a page that tells people what to do")


class SystemHealthSettings(AgentSettings):
    """What `agents.system_health` may say."""

    cpu_threshold: Threshold = Field(80.0, description="percent of all CPUs above which, for 5 minutes, it is a problem")
    memory_threshold: Threshold = Field(90.0, description="percent of memory in use above which it is a problem")
    sample_interval: PositiveDuration = Field(
        timedelta(seconds=15),
        description="how often CPU, memory, load and stalls are measured, so that `for` is true",
    )
    thresholds: Thresholds = part("when a measured number counts as too much")
    services: Annotated[Mapping[str, Any], _of("service_settings:Service")] = Field(
        {}, description="services to watch and restart, by name"
    )
    paths: Annotated[Mapping[str, Any], _of("paths:WatchedPath")] = Field(
        {}, description="files and directories whose existence, mode and owner are kept, by name"
    )
    temp_dirs: Annotated[Mapping[str, Any], _of("temp_dirs:TempDirectory")] = Field(
        {}, description="directories of temporary files to clean, by name"
    )
    logs: Annotated[Mapping[str, Any], _of("logs:LogFiles")] = Field({}, description="log files to rotate, by name")
    caches: Annotated[Mapping[str, Any], _of("caches:CacheDirectory")] = Field(
        {}, description="cache directories to clear, by name"
    )
    processes: Annotated[Mapping[str, Any], _of("processes:WatchedProcesses")] = Field(
        {}, description="processes that may run away with a CPU, by a name of your own"
    )
    jobs: Annotated[Mapping[str, Any], _of("jobs:Job")] = Field({}, description="jobs whose runs come to an end, by name")
    journal: Annotated[Any, _one("journal:JournalSize")] = Field(
        None, description="how much room the journal may take; empty: it is not looked at"
    )
    log_rates: Annotated[Mapping[str, Any], _of("log_rates:LogRate")] = Field(
        {}, description="units that may not flood the journal, by name"
    )
    log_archives: Annotated[Mapping[str, Any], _of("log_archives:LogArchives")] = Field(
        {}, description="sets of logs whose rotated files are kept in bounds, by name"
    )
    mounts: Annotated[Mapping[str, Any], _of("mounts:WritableMount")] = Field(
        {}, description="file systems that must be mounted and writable, by name"
    )
    time: Annotated[Any, _one("timekeeping:TimeSettings")] = Field(
        None, description="how far the clock may be off, and which daemon keeps it right; empty: only jumps are told"
    )
    uninterruptible: Annotated[Any, _one("uninterruptible:UninterruptibleThreshold")] = Field(
        None, description="how long a process may hang in the kernel; empty: it is not looked for"
    )
    resolvers: Annotated[Mapping[str, Any], _of("resolvers:WatchedResolver")] = Field(
        {}, description="name servers to ask, by name"
    )
    connections: Annotated[Mapping[str, Any], _of("connections:WatchedConnection")] = Field(
        {}, description="what this host must be able to connect to, by name"
    )
    links: Annotated[Mapping[str, Any], _of("links:WatchedLink")] = Field(
        {}, description="network interfaces and default routes that must be there, by name"
    )
    local_ports: Annotated[Any, _one("local_ports:LocalPortsUse")] = Field(
        None, description="how far the ports from which this host connects may be used up; empty: they are not counted"
    )
    conntrack: Annotated[Any, _one("conntrack:ConntrackUse")] = Field(
        None, description="how full the firewall's table of connections may be; empty: it is not looked at"
    )
    certificates: Annotated[Mapping[str, Any], _of("certificate_settings:WatchedCertificate")] = Field(
        {}, description="certificates to watch, renew and load, by name"
    )
    pools: Annotated[Mapping[str, Any], _of("pool_settings:WatchedPool")] = Field(
        {}, description="connection pools to watch, and to have given back what was forgotten, by name"
    )
    baselines: Annotated[Mapping[str, Any], _of("baselines:Baseline")] = Field(
        {}, description="files whose content is declared elsewhere, by name"
    )
    sysctls: Annotated[Mapping[str, Any], _of("sysctls:DeclaredSetting")] = Field(
        {}, description="kernel settings and their values, by name"
    )
    root_accounts: Annotated[Any, _one("root_accounts:RootAccountSettings")] = Field(
        None, description="who may have the rights of root; empty: not looked at, {}: nobody but root"
    )
    setuid_files: Annotated[Mapping[str, Any], _of("setuid_files:SetuidDirectory")] = Field(
        {}, description="directories below which no program may be setuid or setgid but those listed, by name"
    )
    deployments: Annotated[Mapping[str, Any], _of("deployments:Deployment")] = Field(
        {}, description="who may change baselines and sysctls for a time, by name"
    )
    scripts: Annotated[Mapping[str, Any], _of("scripts:MonitoringPlugin")] = Field(
        {}, description="monitoring plugins to run, by name"
    )
    oom_kills: Annotated[Any, _one("oom_kills:OomKillSettings")] = Field(
        None, description="tell whom the kernel ended for want of memory; empty: not looked at, {}: as usual"
    )
    upgrades: Annotated[Any, _one("upgrades:UpgradeSettings")] = Field(
        None, description="tell what still runs with files that an upgrade has replaced; empty: not looked at, {}: as usual"
    )
    rules: dict[Name, UserRule] = Field(default_factory=dict, description="rules of your own, by name")

    @model_validator(mode="after")
    def _consistent(self) -> SystemHealthSettings:
        check_order(self.thresholds.cpu, self.cpu_threshold, at="thresholds.cpu.", see="cpu_threshold")
        check_order(self.thresholds.memory, self.memory_threshold, at="thresholds.memory.", see="memory_threshold")
        for name, service in self.services.items():
            for index, other in enumerate(service.depends_on):
                if other not in self.services:
                    at = f"services.{name}.depends_on.{index}"
                    raise refuse("reference", f"names the service `{other}`, which is not listed", at=at)
        _refuse_circles({name: service.depends_on for name, service in self.services.items()})
        return self


def clear_below(limit: float, breach: Breach) -> float:
    """Return the value below which a breach is over: what is written, else five points below the threshold."""
    return breach.clear if breach.clear is not None else max(0.0, limit - CLEAR_BELOW)


def _refuse_circles(depends_on: dict[str, tuple[str, ...]]) -> None:
    """Refuse services that wait for each other: none of them would ever be restarted."""
    settled: set[str] = set()
    while len(settled) < len(depends_on):
        ready = {name for name, others in depends_on.items() if name not in settled and settled.issuperset(others)}
        if not ready:
            names = ", ".join(sorted(set(depends_on) - settled))
            raise refuse("cycle", f"depend on each other in a circle, so none would ever start: {names}", at="services")
        settled |= ready
