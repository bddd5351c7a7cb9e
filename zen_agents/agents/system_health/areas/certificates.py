"""Certificates of files and servers: renewed in time, and loaded once they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from zen_agents.agents.system_health.areas.argv import account_of
from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.certificate_settings import Reload, WatchedCertificate
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.certificate import CertificateCheck
from zen_agents.model.duration import seconds_in
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, Beyond, Either, StatusIs
from zen_agents.rules.rule import Condition, Hold, Rule, Rung

_DAY_SECONDS = 86400.0
#: An authority that fails twice is not asked again at once: it counts what fails.
_RENEWALS = 3
_RELOADS = 2


class Certificates(Area[Mapping[str, WatchedCertificate]]):
    """`certificates`: renewed by the host's own client, and loaded by a reload."""

    def checks(self, section: Mapping[str, WatchedCertificate], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, watched in section.items():
            every, within = seconds_in(watched.every), seconds_in(watched.timeout)
            yield CertificateCheck(name, watched.asked, every_seconds=every, answer_within_seconds=within)

    def remedies(self, section: Mapping[str, WatchedCertificate]) -> Iterable[Remedy]:
        """Return what renews and loads each."""
        for name, watched in section.items():
            common = _common_params(name, watched)
            if watched.reload is not None and watched.server is not None:
                yield "reload_service", name, common
            if watched.renew is not None:
                params = {**common, **_renewal_params(watched)}
                yield "renew_certificate", name, params
                yield "change_certificate_authority", name, params

    def rules(self, section: Mapping[str, WatchedCertificate], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each."""
        for name, watched in section.items():
            yield _in_order(name, watched, make)
            yield _expiring(name, watched, make)
            if watched.file is not None and watched.server is not None:
                yield _not_loaded(name, watched, make)


def _in_order(name: str, watched: WatchedCertificate, make: RuleMaker) -> Rule:
    target = f"certificate:{name}"
    return make.rule(
        name,
        target,
        _says(f"certificate.{name}", target, watched),
        at=f"certificates.{name}",
        summary="clients refuse the certificate: its chain, its name or its key is wrong",
        severity=watched.severity,
        # Whoever puts new files in place does it one after the other.
        hold=Hold(held_for_seconds=seconds_in(watched.load_within)),
        runbook=watched.runbook,
    )


def _expiring(name: str, watched: WatchedCertificate, make: RuleMaker) -> Rule:
    target = f"certificate:{name}"
    days = seconds_in(watched.renew_before) / _DAY_SECONDS
    ends = Beyond(f"certificate.{name}.days_left", target, days, 0.0, seconds_in(watched.every), direction="below")
    clear: Condition = ends
    if watched.file is not None and watched.server is not None:
        # Renewed is what clients are shown, not what lies in a file.
        clear = Either((ends, _says(f"certificate.{name}.loaded", target, watched)))
    return make.rule(
        f"{name}.expiring",
        target,
        ends,
        at=f"certificates.{name}",
        summary="the certificate ends soon and has not been renewed",
        severity=watched.severity,
        clear=clear,
        ladder=_renewals(target, make),
        runbook=watched.runbook,
    )


def _renewals(target: str, make: RuleMaker) -> tuple[Rung, ...]:
    """One rung: what a renewal left is another authority's only where the renewal itself cannot be planned any more."""
    names = ("renew_certificate", "change_certificate_authority")
    return make.ladder(make.unasked([make.remedies.of(name, target) for name in names]), attempts=_RENEWALS)[:1]


def _not_loaded(name: str, watched: WatchedCertificate, make: RuleMaker) -> Rule:
    target = f"certificate:{name}"
    return make.rule(
        f"{name}.not_loaded",
        target,
        _says(f"certificate.{name}.loaded", target, watched),
        at=f"certificates.{name}",
        summary="the server shows another certificate than lies in its file",
        severity=watched.severity,
        hold=Hold(held_for_seconds=seconds_in(watched.load_within)),
        ladder=make.ladder(make.unasked([make.remedies.of("reload_service", target)]), attempts=_RELOADS),
        runbook=watched.runbook,
    )


def _says(observation: str, target: str, watched: WatchedCertificate) -> StatusIs:
    return StatusIs(observation, target, seconds_in(watched.every, STALE_AFTER_SAMPLES))


def _common_params(name: str, watched: WatchedCertificate) -> Mapping[str, Any]:
    asked = watched.asked
    return {
        "certificate": name,
        "file": asked.file,
        "key": asked.key,
        "chain": asked.chain,
        "server": watched.server,
        "starttls": asked.starttls,
        "name": asked.name,
        "authority": asked.authority,
        "reload": _reload_params(watched.reload) if watched.reload is not None else None,
    }


def _reload_params(reload: Reload) -> Mapping[str, Any]:
    return {"unit": reload.unit, "argv": list(reload.command or ()), "user": account_of(reload.user)}


def _renewal_params(watched: WatchedCertificate) -> Mapping[str, Any]:
    renew = watched.renew
    assert renew is not None  # noqa: S101 - the caller saw to it
    made, made_key = renew.places(watched.file or "", watched.key or "")
    return {
        "client": renew.client,
        "argv": list(renew.argv(watched.renew_before)),
        "user": account_of(renew.user),
        "environment": dict(renew.env),
        "timeout_seconds": seconds_in(renew.timeout),
        "made": made,
        "made_key": made_key,
        "at_least_seconds": seconds_in(watched.renew_before),
    }
