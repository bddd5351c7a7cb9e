"""What the engine relies on around it: its configuration, secrets, clock, log, and the ways to people."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zen_agents.doctor.examination import Finding, Site, State, fine, worst
from zen_agents.errors import HostError, SettingsError
from zen_agents.settings.loader import effective_values
from zen_agents.settings.policy import to_alert_policy
from zen_agents.settings.trust import distrust, read_secret

#: What the kernel says of a clock that nobody sets (TIME_ERROR).
_NOT_SET = 5
#: Room for the kernel's answer about the clock (bytes); it is less than half of that.
_TIMEX_BYTES = 512


def configuration(site: Site) -> Finding:
    """Is there one, is it valid, and may nobody else write it?"""
    loaded = site.loaded
    if loaded is None:
        return Finding(State.FAILED, "there is no configuration", "zen-agents init")
    name = ", ".join(loaded.files)
    for file in loaded.files:
        if why := distrust(file, os.geteuid()):
            return Finding(State.FAILED, why, f"chmod go-w {file}")
    if loaded.errors:
        more = f" (and {len(loaded.errors) - 1} more)" if len(loaded.errors) > 1 else ""
        return Finding(State.FAILED, f"{name}: {loaded.errors[0].message}{more}", "zen-agents check-config")
    if loaded.diagnostics:
        return Finding(State.WARNING, f"{name}: {loaded.diagnostics[0].message}", "zen-agents check-config")
    return fine(f"{name} is valid")


def applied(site: Site) -> Finding:
    """Is the configuration on disk the one in force?"""
    if site.status is None or site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "that takes a running engine and a valid configuration")
    if trouble := site.status["config"].get("not_applied"):
        return Finding(State.FAILED, str(trouble["error"]), "zen-agents check-config, then zen-agents reload")
    if site.status["config"]["digest"] != site.loaded.digest:
        return Finding(State.WARNING, "the files say something else than what is in force", "zen-agents reload")
    return fine("the configuration on disk is in force")


def secrets(site: Site) -> Finding:
    """Can every secret that the configuration names be read, by the engine alone?"""
    if site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    named, bad = list(secret_files(effective_values(site.loaded.settings))), []
    for path in named:
        try:
            read_secret(path)
        except SettingsError as error:
            bad.append(Finding(State.FAILED, str(error), f"chmod 0600 {path}; as the account that runs the engine"))
    return worst(
        bad, f"{len(named)} files with secrets, each the engine's alone" if named else "no file of a secret is named"
    )


def secret_files(values: Any) -> Iterator[str]:
    """Yield the files with secrets that effective settings name."""
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if key.endswith("_file") and isinstance(value, str) and value:
            yield value
        else:
            yield from secret_files(value)


def clock(_: Site) -> Finding:
    """Does somebody set the clock?"""
    if kernel_clock() == _NOT_SET:
        how = "start systemd-timesyncd or chrony; in a container that is the host's affair"
        return Finding(State.WARNING, "nobody sets this host's clock", how)
    return fine("the clock is kept right")


def kernel_clock() -> int:
    """Return what the kernel says of its clock (`ntp_gettime`); OSError if it says nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    said: int = libc.ntp_gettime(ctypes.create_string_buffer(_TIMEX_BYTES))
    if said < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return said


def system_log(site: Site) -> Finding:
    """Is there a log of the system, which gets the ledger's heads?"""
    if not Path(os.path.realpath(site.path("/dev/log"))).exists():
        how = "start systemd-journald or rsyslog"
        return Finding(State.WARNING, "there is no /dev/log: a rewritten ledger is harder to notice", how)
    return fine("the system's log takes the ledger's heads")


def firewall(site: Site) -> Finding:
    """Can those be shut out whom a pattern may ban?"""
    if site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    reads_logs = site.loaded.settings.agents.get("log_analysis")
    if reads_logs is None or not any(pattern.ban_at for pattern in reads_logs.patterns.values()):
        return fine("no pattern bans anybody")
    from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - only where a pattern may ban

    try:
        linux_firewall.nft()
    except HostError as error:
        return Finding(State.FAILED, str(error), "apt install nftables")
    if os.geteuid() != 0:
        return Finding(State.UNKNOWN, "only root sees who is banned")
    return fine(f"nft answers; {len(linux_firewall.bans())} are banned")


def heartbeat(site: Site) -> Finding:
    """Would somebody notice that this host is dead?"""
    if site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    if to_alert_policy(site.loaded.settings, site.loaded, site.environ).heartbeat is None:
        return Finding(State.WARNING, "nobody notices if this host is dead", "set alerts.heartbeat.url_file")
    return fine("its silence is noticed elsewhere")
