"""Settings as the lower floors read them: the guards' policy, the alerts' policy, safe mode's triggers, the flap limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path

from zen_agents.agents.base import BaseAgent
from zen_agents.alerts.policy import (
    AlertPolicy,
    AppriseUrl,
    DigestPolicy,
    EmailPolicy,
    Encryption,
    EscalationStep,
    HeartbeatPolicy,
    Match,
    NoAlertsWindow,
    PagerDutyPolicy,
    QuietHours,
    Route,
    SelfTestPolicy,
    Smtp,
    StepCondition,
    SubjectStyle,
    smtp_from_url,
)
from zen_agents.engine.safe_mode import SafeModeTriggers
from zen_agents.errors import SettingsError
from zen_agents.guards.base import ApprovalTerms, Limit, MaintenanceWindow, Policy
from zen_agents.rules.rule import FlapLimit
from zen_agents.settings.loader import Loaded
from zen_agents.settings.models import BreakerSettings, Settings, WindowSettings
from zen_agents.settings.models_alerts import AlertSettings, EmailSettings, HeartbeatSettings, PagerDutySettings
from zen_agents.settings.trust import read_secret

_HOUR = 3600.0


class _Scopes(Set[tuple[str, str]]):
    """What several agents declare, as one set and without a copy of it."""

    def __init__(self, scopes: Sequence[Set[tuple[str, str]]]) -> None:
        self._scopes = scopes

    def __contains__(self, pair: object) -> bool:
        return any(pair in scope for scope in self._scopes)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return chain.from_iterable(self._scopes)

    def __len__(self) -> int:
        return sum(map(len, self._scopes))


def to_policy(
    settings: Settings, loaded: Loaded, agents: Iterable[BaseAgent], *, dry_run: bool = False,
    own_units: Iterable[str] = ("zen-agents.service",), own_paths: Iterable[str] = (),
    only_plans: frozenset[str] | None = None,
) -> Policy:  # fmt: skip
    """Return what guards may let through: exactly what the file names, and what its agents declare of it.

    `own_paths` are the engine's state and package directories; the configuration files are added here.
    """
    built = list(agents)
    limits, storm = settings.limits, settings.breakers.storm
    files = (str(Path(file).absolute()) for file in loaded.files if file != "-")
    return Policy(
        mode=settings.mode.value,
        dry_run=dry_run,
        only_plans=only_plans,
        auto_mitigate={agent.name: bool(getattr(agent.settings, "auto_mitigate", False)) for agent in built},
        allowed=settings.actions.allow,
        declared=_Scopes([agent.scope() for agent in built]),
        repairs=Limit(limits.max_auto_repairs_per_hour, _HOUR),
        housekeeping=Limit(limits.max_housekeeping_per_hour, _HOUR),
        per_target=Limit(limits.per_target_per_hour, _HOUR),
        max_concurrent=limits.max_concurrent,
        failures=_limit(settings.breakers.failures),
        recurrence=_limit(settings.breakers.recurrence),
        storm=Limit(storm.targets, storm.within.total_seconds(), storm.retry_after.total_seconds()),
        storm_share=storm.share / 100,
        approvals=ApprovalTerms(
            frozenset(settings.approvals.approvers),
            settings.approvals.expire_after.total_seconds(),
            settings.approvals.on_expiry == "escalate",
        ),
        autonomy=_autonomy(settings),
        maintenance=tuple(_window(window, index, loaded) for index, window in enumerate(settings.maintenance)),
        boot_grace_seconds=limits.boot_grace.total_seconds(),
        leave_alone_while=limits.leave_alone_while,
        protected_units=frozenset(settings.protected.units),
        protected_paths=frozenset(settings.protected.paths),
        stateful_units=frozenset(settings.protected.stateful_units),
        stateful_allowed=_stateful_allowed(settings, loaded),
        keep_running=frozenset(target for agent in built for target in agent.keep_running()),
        own_units=frozenset(own_units),
        own_paths=frozenset((*own_paths, *files)),
        # Guards name limits, brakes and the allow-list; where each of thousands of files is listed, its rule says.
        origins={path: at for path, at in loaded.origins.items() if _is_for_guards(path)},
    )


def _is_for_guards(path: str) -> bool:
    return path.count(".") <= 2 or not path.startswith("agents.") or path.endswith((".keep", ".depends_on"))


def _autonomy(settings: Settings) -> dict[tuple[str, str], str]:
    """Return how far each named rule may go alone with each action."""
    return {(rule, action): level.value for rule, actions in settings.autonomy.items() for action, level in actions.items()}


def _stateful_allowed(settings: Settings, loaded: Loaded) -> frozenset[str]:
    """Return what the host's own file names with a written `approval: auto`: stateful ones of it may restart (R25)."""
    named: set[str] = set()
    allow = settings.actions.allow
    for policy in (allow[action] for action in allow if f"actions.allow.{action}.approval" in loaded.origins):
        if policy.approval == "auto":
            named |= {*(getattr(policy, "units", None) or ()), *(getattr(policy, "services", None) or ())}
    return frozenset(named)


def flap_limit(settings: Settings) -> FlapLimit:
    """Return how often an incident may open before it counts as flapping."""
    flapping = settings.breakers.flapping
    return FlapLimit(flapping.open_after, flapping.within.total_seconds())


def safe_mode_triggers(settings: Settings) -> SafeModeTriggers:
    """Return what switches safe mode on."""
    when = settings.safe_mode.enter_when
    return SafeModeTriggers(
        exhausted=when.exhausted_ladders,
        unknown_outcomes=when.unknown_outcomes,
        engine_restarts=when.engine_restarts,
        audit_write_fails=when.audit_write_fails,
        storm=when.storm,
    )


def to_alert_policy(settings: Settings, loaded: Loaded, environ: Mapping[str, str]) -> AlertPolicy:
    """Return who is told, what and how. Secrets in files stay there until a worker needs them.

    Raises:
        SettingsError: if SMTP_URL_FILE, or `alerts.email.smtp.url_file`, cannot be read or is no such address.
    """
    alerts = settings.alerts
    quiet, digest, heartbeat, weekly = settings.quiet_hours, alerts.digest, alerts.heartbeat, alerts.self_test
    muting = [window for window in settings.maintenance if window.effect in ("no_alerts", "observe")]
    return AlertPolicy(
        email=_email(alerts.email, environ),
        pagerduty=_pagerduty(alerts.pagerduty, environ),
        urls={name: AppriseUrl(url_file=url.url_file) for name, url in alerts.urls.items()},
        routes=_routes(alerts, loaded),
        group_by=frozenset(alerts.group_by),
        group_wait_seconds=alerts.group_wait.total_seconds(),
        repeat_every_seconds=alerts.repeat_every.total_seconds(),
        max_per_hour=alerts.max_per_hour,
        quiet_hours=QuietHours(quiet.start, quiet.end, quiet.timezone, frozenset(quiet.page_only)) if quiet else None,
        no_alerts=tuple(
            NoAlertsWindow(each.name, each.start, each.duration.total_seconds(), frozenset(each.days), each.timezone)
            for each in muting
        ),
        escalation=tuple(
            EscalationStep(step.after.total_seconds(), step.notify, StepCondition(step.when))
            for step in settings.escalation.default
        ),
        digest=DigestPolicy(digest.at, digest.to, digest.timezone) if digest else None,
        self_test=SelfTestPolicy(weekly.day, weekly.at, weekly.timezone) if weekly else None,
        heartbeat=_heartbeat(heartbeat) if heartbeat else None,
        timezone=alerts.timezone,
    )


def _heartbeat(heartbeat: HeartbeatSettings) -> HeartbeatPolicy:
    return HeartbeatPolicy(heartbeat.every.total_seconds(), heartbeat.url_file, method=heartbeat.method)


def _limit(breaker: BreakerSettings) -> Limit:
    return Limit(breaker.open_after, breaker.within.total_seconds(), breaker.retry_after.total_seconds())


def _window(window: WindowSettings, index: int, loaded: Loaded) -> MaintenanceWindow:
    return MaintenanceWindow(
        name=window.name,
        start=window.start,
        duration_seconds=window.duration.total_seconds(),
        days=frozenset(window.days),
        timezone=window.timezone,
        effect=window.effect,
        origin=loaded.origins.get(f"maintenance[{index}]", ""),
    )


def _email(email: EmailSettings, environ: Mapping[str, str]) -> EmailPolicy:
    return EmailPolicy(
        to=email.to,
        sender=email.sender,
        groups=dict(email.groups),
        smtp=_smtp(email, environ),
        subject=SubjectStyle(email.subject),
    )


def _smtp(email: EmailSettings, environ: Mapping[str, str]) -> Smtp:
    smtp = email.smtp
    url = environ.get("SMTP_URL") or (read_secret(smtp.url_file) if smtp.url_file else "")
    if url:
        try:
            return smtp_from_url(url)
        except ValueError as error:
            raise SettingsError(f"{error}; it came from {smtp.url_file or 'env SMTP_URL'}") from None
    return Smtp(
        host=smtp.host,
        port=smtp.port,
        starttls=Encryption(smtp.starttls),
        user=smtp.user,
        password_file=smtp.password_file or "",
        timeout_seconds=smtp.timeout.total_seconds(),
    )


def _pagerduty(pagerduty: PagerDutySettings, environ: Mapping[str, str]) -> PagerDutyPolicy:
    key = environ.get("PAGERDUTY_ROUTING_KEY", "")
    file = pagerduty.routing_key_file or ""
    if not key and not file and (credentials := environ.get("CREDENTIALS_DIRECTORY")):
        given = Path(credentials, "pagerduty_routing_key")
        file = str(given) if given.exists() else ""
    return PagerDutyPolicy(
        enabled=pagerduty.enabled,
        url=pagerduty.url,
        routing_key_file=file,
        routing_key=key,
        change_events=pagerduty.change_events,
        deliver_within_seconds=pagerduty.deliver_within.total_seconds(),
    )


def _routes(alerts: AlertSettings, loaded: Loaded) -> tuple[Route, ...]:
    return tuple(
        Route(
            channels=route.to,
            match=Match(frozenset(route.match.severity), route.match.agent, route.match.rule, route.match.target),
            origin=loaded.origins.get(f"alerts.routes[{index}]", ""),
        )
        for index, route in enumerate(alerts.routes)
    )
