"""Who is told what, when and over which channel: the alerting part of the configuration as plain frozen values.

`settings` converts into this; nothing here reads a file or an environment variable. Durations are seconds. A secret is
given either as a path that the delivery worker reads when it needs it, or as a value that came from the environment;
values never appear in a `repr`.

Channels are words: `email` (everybody in `EmailPolicy.to`), `email:GROUP` (one of `EmailPolicy.groups`), `pagerduty`, and
`url:NAME` for each further Apprise URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import time
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

from zen_agents.dataclass import dataclass
from zen_agents.model.severity import Severity

EMAIL, PAGERDUTY, URL_PREFIX, EMAIL_PREFIX = "email", "pagerduty", "url:", "email:"

#: PagerDuty's public Events v2 addresses are below this one: `/v2/enqueue` and `/v2/change/enqueue`.
PAGERDUTY_URL = "https://events.pagerduty.com"


class Encryption(StrEnum):
    """How the connection to the mail server is protected."""

    #: STARTTLS if the server offers it; a certificate that does not verify is not used to send a password.
    AUTO = "auto"
    #: STARTTLS or nothing is sent.
    ALWAYS = "always"
    NEVER = "never"
    #: TLS from the first byte (`smtps://`).
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server."""

    host: str = "localhost"
    port: int = 25
    starttls: Encryption = Encryption.AUTO
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    timeout_seconds: float = 15.0


class SubjectStyle(StrEnum):
    """What the subject of a follow-up says."""

    #: The first subject with `Re: `, so that every mail program keeps the thread together.
    THREAD = "thread"
    #: The present state.
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class EmailPolicy:
    """Mail. Without addresses there is no channel `email`."""

    to: tuple[str, ...] = ()
    #: Sender address; "" means zen-agents@HOST.
    sender: str = ""
    #: Name of a group -> its addresses; reached as `email:NAME`.
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    smtp: Smtp = Smtp()
    subject: SubjectStyle = SubjectStyle.THREAD


@dataclass(frozen=True, slots=True)
class PagerDutyPolicy:
    """PagerDuty's Events API v2."""

    enabled: bool = False
    #: Where `/v2/enqueue` and `/v2/change/enqueue` are; another one only for tests and relays.
    url: str = PAGERDUTY_URL
    routing_key_file: str = ""
    routing_key: str = field(default="", repr=False)
    #: Tell PagerDuty of every executed action as a change event.
    change_events: bool = True
    #: A page that could not be delivered for this long is told by mail instead.
    deliver_within_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class AppriseUrl:
    """One further channel, in Apprise's words; the URL is a secret."""

    url_file: str = ""
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Match:
    """Which messages a route takes; an empty field matches everything."""

    severity: frozenset[Severity] = frozenset()
    agent: str = ""
    #: Rule name; a trailing `*` matches any rest.
    rule: str = ""
    #: Target name; a trailing `*` matches any rest.
    target: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """The first route that matches names the channels that are told at once."""

    channels: tuple[str, ...]
    match: Match = Match()
    #: `file:line:column`; goes into the foot of a mail.
    origin: str = ""


class StepCondition(StrEnum):
    """What must still be so for a later step to be taken."""

    ALWAYS = "always"
    NOT_RECOVERED = "not_recovered"
    #: Neither recovered nor acknowledged.
    NOT_ACKNOWLEDGED = "not_acknowledged"


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One step of `escalation`: it only adds channels, later."""

    after_seconds: float
    channels: tuple[str, ...]
    when: StepCondition = StepCondition.NOT_RECOVERED


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily period in which messages wait for its end; checks do not, and these severities do not either."""

    start: time
    end: time
    timezone: str = "UTC"
    page_only: frozenset[Severity] = frozenset({Severity.CRITICAL})


@dataclass(frozen=True, slots=True)
class NoAlertsWindow:
    """A maintenance window with `effect: no_alerts` or `observe`: what is still true at its end is told then."""

    name: str
    start: time
    duration_seconds: float
    #: mon..sun on which it starts; empty means every day.
    days: frozenset[str] = frozenset()
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class DigestPolicy:
    """One message a day with what went well."""

    at: time
    channels: tuple[str, ...] = (EMAIL,)
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SelfTestPolicy:
    """Once a week every channel is tried, and what fails is told over the others."""

    #: mon..sun
    day: str
    at: time
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class HeartbeatPolicy:
    """An address that is fetched after each good tick, not more often than this; its silence is the alarm."""

    every_seconds: float = 60.0
    url_file: str = ""
    url: str = field(default="", repr=False)
    #: GET, or POST with the ledger's head as JSON; either has it as the header X-Zen-Ledger-Head.
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """All of it. The default tells nobody."""

    email: EmailPolicy = EmailPolicy()
    pagerduty: PagerDutyPolicy = PagerDutyPolicy()
    #: Name -> address; reached as `url:NAME`.
    urls: Mapping[str, AppriseUrl] = field(default_factory=dict)
    #: In order; none matches: every channel there is.
    routes: tuple[Route, ...] = ()
    #: What the messages of one mail have in common: of host, rule, agent and target.
    group_by: frozenset[str] = frozenset({"host", "rule"})
    #: A mail that is neither critical nor urgent waits this long for others of its group.
    group_wait_seconds: float = 30.0
    #: The same facts are told again after this long, while they last.
    repeat_every_seconds: float = 4 * 3600.0
    #: Above it, a channel gets one roll-up instead.
    max_per_hour: int = 20
    quiet_hours: QuietHours | None = None
    no_alerts: tuple[NoAlertsWindow, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    digest: DigestPolicy | None = None
    self_test: SelfTestPolicy | None = None
    heartbeat: HeartbeatPolicy | None = None
    #: Zone in which messages show times.
    timezone: str = "UTC"

    def channels(self) -> tuple[str, ...]:
        """Return the channels that can be reached with this configuration; groups of addresses are not among them."""
        mail = (EMAIL,) if self.email.to else ()
        page = (PAGERDUTY,) if self.pagerduty.enabled else ()
        return (*page, *mail, *(f"{URL_PREFIX}{name}" for name in self.urls))

    def is_reachable(self, channel: str) -> bool:
        """Tell whether a channel named in a route or step exists and is switched on."""
        group = channel.removeprefix(EMAIL_PREFIX)
        return channel in self.channels() or (group != channel and bool(self.email.groups.get(group)))

    def addresses(self, channel: str) -> tuple[str, ...]:
        """Return the mail addresses of `email` or `email:GROUP`."""
        return self.email.to if channel == EMAIL else tuple(self.email.groups.get(channel.removeprefix(EMAIL_PREFIX), ()))


def is_email(channel: str) -> bool:
    """Tell whether a channel is reached by mail."""
    return channel == EMAIL or channel.startswith(EMAIL_PREFIX)


def smtp_from_url(url: str) -> Smtp:
    """Return the server that `smtp://USER:PASSWORD@HOST:PORT?starttls=auto|always|never` or `smtps://...` names.

    Raises:
        ValueError: with a sentence that does not repeat the URL, which may hold a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL is not of the form smtp://user:password@host:port or smtps://...")
    word = parse_qs(parts.query).get("starttls", [Encryption.AUTO.value])[0]
    if word not in ("auto", "always", "never"):
        raise ValueError("starttls in SMTP_URL is not one of auto, always, never")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("the port in SMTP_URL is not a number from 0 to 65535") from error
    implicit = parts.scheme == "smtps"
    return Smtp(
        host=parts.hostname,
        port=port or (465 if implicit else 25),
        starttls=Encryption.TLS if implicit else Encryption(word),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
