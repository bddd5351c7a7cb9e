"""Typed settings of telling people; `policy.to_alert_policy` makes them what `alerts` works with."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from zen_agents.model.scalars import (
    AbsolutePath,
    Duration,
    EmailAddress,
    HttpUrl,
    Line,
    Name,
    PositiveDuration,
    TimeOfDay,
    TimeZone,
)
from zen_agents.model.section import Section, part
from zen_agents.model.severity import Severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: `email`, `email:GROUP`, `pagerduty`, `url:NAME`; `crosscheck` tells which of them exist.
Channel = Line


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_one_or_more = BeforeValidator(_as_list, json_schema_input_type=str | list[str])
Channels = Annotated[tuple[Channel, ...], _one_or_more]
Addresses = Annotated[tuple[EmailAddress, ...], _one_or_more]


class SmtpSettings(Section):
    """The mail server; SMTP_URL or SMTP_URL_FILE wins over it."""

    host: Line = Field("localhost", description="its name or address")
    port: int = Field(25, ge=1, le=65535, description="its port")
    starttls: Literal["auto", "always", "never", "tls"] = Field(
        "auto", description="auto: if offered; always: or nothing is sent; tls: from the first byte"
    )
    user: Line = Field("", description="account, if it wants one")
    password_file: AbsolutePath | None = Field(None, description="file with its password, mode 0600")
    timeout: PositiveDuration = Field(timedelta(seconds=15), description="how long an answer may take")
    url_file: AbsolutePath | None = Field(None, description="file with smtp://USER:PASSWORD@HOST:PORT instead, mode 0600")


class EmailSettings(Section):
    """Mail."""

    to: Addresses = Field((), description="who is written to; env ALERT_EMAIL wins; empty: no mail")
    sender: Line = Field("", alias="from", description="sender; empty: zen-agents@HOST")
    groups: dict[Name, Addresses] = Field(default_factory=dict, description="further groups, reached as email:NAME")
    smtp: SmtpSettings = part("the mail server")
    subject: Literal["thread", "status"] = Field("thread", description="thread: follow-ups keep it; status: they change it")


class PagerDutySettings(Section):
    """PagerDuty's Events API v2."""

    enabled: bool = Field(False, description="env ALERT_PAGERDUTY_ENABLED wins")
    routing_key_file: AbsolutePath | None = Field(
        None,
        description="file with the integration's key, mode 0600; or env PAGERDUTY_ROUTING_KEY[_FILE]",
    )
    url: HttpUrl = Field("https://events.pagerduty.com", description="address of the API; another one for relays and tests")
    change_events: bool = Field(True, description="tell of every executed action as a change event")
    deliver_within: PositiveDuration = Field(timedelta(minutes=15), description="a page later than this goes by mail")


class UrlSettings(Section):
    """A further channel, in Apprise's words; its address is a secret."""

    url_file: AbsolutePath = Field(description="file with the address, mode 0600")


class MatchSettings(Section):
    """Which messages a route takes; what is left out matches everything."""

    severity: Annotated[
        tuple[Severity, ...], BeforeValidator(_as_list, json_schema_input_type=Severity | list[Severity])
    ] = Field((), description="one severity, or a list")
    agent: Line = Field("", description="name of an agent")
    rule: Line = Field("", description="name of a rule; a trailing * matches any rest")
    target: Line = Field("", description="name of a target; a trailing * matches any rest")


class RouteSettings(Section):
    """The first route that matches names the channels that are told at once."""

    match: MatchSettings = part("which messages; empty: all")
    to: Channels = Field(min_length=1, description="email, email:GROUP, pagerduty or url:NAME")


class DigestSettings(Section):
    """One message a day with what went well."""

    at: TimeOfDay = Field(description='when, like "08:00"')
    timezone: TimeZone = Field("UTC", description="the zone of `at`")
    to: Channels = Field(("email",), min_length=1, description="channels")


class SelfTestSettings(Section):
    """Once a week every channel is tried; one that fails is told over the others."""

    day: Day = Field("mon", description="the weekday")
    at: TimeOfDay = Field(description='when, like "10:00"; a time at which somebody works')
    timezone: TimeZone = Field("UTC", description="the zone of `at`")


class HeartbeatSettings(Section):
    """An address that is fetched after each good tick; its silence is the alarm."""

    url_file: AbsolutePath = Field(description="file with the address, mode 0600")
    every: PositiveDuration = Field(timedelta(seconds=60), description="not more often than this")
    method: Literal["GET", "POST"] = Field("GET", description="POST: with the ledger's head, for a service that keeps it")


class AlertSettings(Section):
    """Who is told, and how."""

    email: EmailSettings = part("mail")
    pagerduty: PagerDutySettings = part("pages")
    urls: dict[Name, UrlSettings] = Field(default_factory=dict, description="further channels, reached as url:NAME")
    routes: tuple[RouteSettings, ...] = Field((), description="the first that matches; none: every channel")
    group_by: tuple[Literal["host", "rule", "agent", "target"], ...] = Field(
        ("host", "rule"), min_length=1, description="what the messages of one mail have in common; [host] gathers all"
    )
    group_wait: Duration = Field(timedelta(seconds=30), description="how long a mail that is not critical waits for others")
    repeat_every: PositiveDuration = Field(timedelta(hours=4), description="the same is told again after this long")
    max_per_hour: int = Field(20, ge=1, le=10_000, description="above it, a channel gets one roll-up instead")
    digest: DigestSettings | None = Field(None, description="one message a day with what went well")
    self_test: SelfTestSettings | None = Field(None, description="a weekly trial of every channel")
    heartbeat: HeartbeatSettings | None = Field(None, description="an address whose silence is the alarm")
    timezone: TimeZone = Field("UTC", description="zone in which messages show times")


class QuietHoursSettings(Section):
    """A daily period in which messages wait for its end."""

    start: TimeOfDay = Field(description='when it begins, like "22:00"')
    end: TimeOfDay = Field(description='when it ends, like "07:00"')
    timezone: TimeZone = Field("UTC", description="the zone of both")
    page_only: tuple[Severity, ...] = Field((Severity.CRITICAL,), description="severities that do not wait")


class StepSettings(Section):
    """One step of the escalation: it only adds channels, later."""

    after: Duration = Field(description="how long after the first message")
    notify: Channels = Field(min_length=1, description="channels to add")
    when: Literal["always", "not_recovered", "not_acknowledged"] = Field(
        "not_recovered", description="what must still be so for the step to be taken"
    )


class EscalationSettings(Section):
    """Who is told later."""

    default: tuple[StepSettings, ...] = Field((), description="the steps, in order")
