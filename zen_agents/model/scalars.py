"""The scalar types that settings, agents and actions share: what a person writes, and what it becomes."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from zen_agents.model.cron import check_cron
from zen_agents.model.pattern import PatternError, compiled
from zen_agents.model.plain_path import check_glob_path, check_plain_path
from zen_agents.model.quantities import (
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_interval,
    parse_percent,
    parse_size,
    parse_threshold,
    parse_time_of_day,
)
from zen_agents.model.refusals import CONTROL, refuse, shown

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|\d{1,10}", re.ASCII)
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.(?:service|socket|timer|mount|target|path|slice|scope)", re.ASCII)
_OCTAL = re.compile(r"[0-7]{3,4}", re.ASCII)
_KERNEL_SETTING = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z0-9_@:-]+(?:/[A-Za-z0-9_@:-]+)*)+", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>,;\x00-\x1f\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_HOST_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]{1,253}):(\d{1,5})", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#\x00-\x20]+[^\s\x00-\x1f]*", re.ASCII)
_ACTION = re.compile(r"[a-z][a-z0-9_]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?", re.ASCII)


def check_time_zone(value: str) -> str:
    """Return the name if the host's time zone database, or tzdata's, knows it."""
    import zoneinfo  # noqa: PLC0415 - only hosts that name a zone pay for it

    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse("time_zone", f"is the unknown time zone `{value}`") from None
    return value


def check_regex(value: str) -> str:
    """Return the pattern if it can be searched for in linear time and is not longer than 4096 characters."""
    if len(value) > 4096:
        raise refuse("regex", "is longer than 4096 characters")
    try:
        compiled(value)
    except PatternError as error:
        raise refuse("regex", f"bad regular expression: {error}", label="here", offset=error.offset) from None
    return value


def check_octal_mode(value: object) -> str:
    """Return a quoted octal mode of three or four digits; a bare number is refused, since YAML reads 0600 as 600."""
    if isinstance(value, str) and _OCTAL.fullmatch(value):
        return value.zfill(4)
    if isinstance(value, int) and not isinstance(value, bool):
        raise refuse("octal", "is a file mode and must be quoted", label=f'write "{value:04d}"')
    raise refuse("octal", f'is a file mode in octal like "0640", got `{shown(value)}`')


def _matching(pattern: re.Pattern[str], type_: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise refuse(type_, f"is {what}, got `{shown(value)}`")
        return value

    return AfterValidator(check)


def check_host_port(value: str) -> str:
    """Return `HOST:PORT` (IPv6 in brackets) if the port is from 1 to 65535."""
    match = _HOST_PORT.fullmatch(value)
    if not match or not 1 <= int(match[1]) <= 65535:
        raise refuse("address", f"is HOST:PORT with a port from 1 to 65535, got `{shown(value)}`")
    return value


def check_line(value: str) -> str:
    """Return a text of one line without control characters."""
    if CONTROL.search(value):
        raise refuse("text", "has a control character in it; one line of plain text is wanted")
    return value


def at_least(least: timedelta) -> AfterValidator:
    """Return what refuses a shorter duration."""

    def check(value: timedelta) -> timedelta:
        if value < least:
            raise refuse("range", f"is at least {format_duration(least)}, got {format_duration(value)}")
        return value

    return AfterValidator(check)


def _schema(text: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": text, "examples": [example]})


_DURATION_PATTERN = r"^(\d+(\.\d+)?(ms|s|m|h|d|w))+$"
_PERCENT_PATTERN = r"^\d+(\.\d+)? *%$"
_DURATION_SCHEMA = _schema(_DURATION_PATTERN, "5m")
_DURATION_TEXT = PlainSerializer(format_duration, return_type=str, when_used="json")

#: `"30s"`, `"5m"`, `"2h"`, `"7d"` -> timedelta; may be zero.
Duration = Annotated[timedelta, BeforeValidator(parse_duration), _DURATION_TEXT, _DURATION_SCHEMA]
#: A duration of at least one millisecond.
PositiveDuration = Annotated[
    timedelta, BeforeValidator(parse_duration), at_least(timedelta(milliseconds=1)), _DURATION_TEXT, _DURATION_SCHEMA
]
#: A duration of at least one second; a bare number means seconds. Only for keys of the short form.
Interval = Annotated[
    timedelta,
    BeforeValidator(parse_interval),
    at_least(timedelta(seconds=1)),
    _DURATION_TEXT,
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 1}, {"type": "string", "pattern": _DURATION_PATTERN}]}),
]
#: `"512MiB"` -> bytes.
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(format_size, return_type=str, when_used="json"),
    _schema(r"^\d+(\.\d+)? *(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$", "50MiB"),
]
#: `"80%"` -> 80.0, from 0 to 100.
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(format_percent, return_type=str, when_used="json"),
    _schema(_PERCENT_PATTERN, "80%"),
]
#: 80 or `"80%"` -> 80.0, from 1 to 100. For the thresholds of the short form and what stands beside them.
Threshold = Annotated[
    float,
    BeforeValidator(parse_threshold),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 1, "maximum": 100}, {"type": "string", "pattern": _PERCENT_PATTERN}]}
    ),
]
#: `"22:00"` -> datetime.time.
TimeOfDay = Annotated[
    time,
    BeforeValidator(parse_time_of_day),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str, when_used="json"),
    _schema(r"^([01]?\d|2[0-3]):[0-5]\d$", "22:00"),
]
#: An IANA name like `Europe/Berlin`.
TimeZone = Annotated[str, AfterValidator(check_time_zone)]
#: Five fields of cron, one space between them.
CronExpression = Annotated[str, AfterValidator(check_cron)]
#: A pattern of Python's `re`, kept as text.
Regex = Annotated[str, AfterValidator(check_regex), WithJsonSchema({"type": "string", "format": "regex"})]
#: An absolute path without wildcards, `.` or `..`.
AbsolutePath = Annotated[str, AfterValidator(check_plain_path), WithJsonSchema({"type": "string", "pattern": "^/"})]
#: An absolute path with wildcards in its last component only.
GlobPath = Annotated[str, AfterValidator(check_glob_path), WithJsonSchema({"type": "string", "pattern": "^/"})]
#: `"0640"`, quoted -> the same with four digits.
OctalMode = Annotated[str, BeforeValidator(check_octal_mode), _schema("^[0-7]{3,4}$", "0640")]
#: A key or a target's name: letters, digits, `_`, `.`, `-`; at most 64.
Name = Annotated[str, _matching(_NAME, "name", "a plain name of letters, digits, `_`, `.` or `-`")]
#: An account or group, by name or number.
Account = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    _matching(_ACCOUNT, "name", "an account name"),
]
#: A systemd unit with its ending: `nginx.service`.
UnitName = Annotated[str, _matching(_UNIT, "name", "a systemd unit with its ending, like nginx.service")]
#: A kernel setting as sysctl(8) writes it: `net.ipv4.tcp_keepalive_time`.
KernelSetting = Annotated[str, _matching(_KERNEL_SETTING, "name", "a kernel setting, like net.ipv4.tcp_keepalive_time")]
#: `restart_service` or `restart_service:web`.
ActionReference = Annotated[str, _matching(_ACTION, "name", "an action, or action:target")]
#: `ops@example.com`.
EmailAddress = Annotated[str, _matching(_EMAIL, "address", "an email address like ops@example.com")]
#: `127.0.0.1:9000`, `[::1]:9000`, `db.example.com:5432`.
HostPort = Annotated[str, AfterValidator(check_host_port)]
#: `http://...` or `https://...`.
HttpUrl = Annotated[str, _matching(_URL, "address", "an address that starts with http:// or https://")]
#: One line of plain text.
Line = Annotated[str, AfterValidator(check_line)]
