"""The scalar types that settings, agents and actions share: what a person writes, and what it becomes.

Every refusal is a `PydanticCustomError` whose type is stable (`unit`, `percent_range`, `time_zone` ...; the list is
`ERROR_TYPES`), so that the loader of settings can give it a code. Its message is a predicate without the key's name
("needs a unit, got `5`"); the context may carry `label` (what to write instead, shown under the caret), `suggest` (a
word to write instead) and `offset` (where inside the text it went wrong).

Durations become `timedelta`, sizes bytes, percentages floats from 0 to 100, times of day `datetime.time`.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from zen_agents.model.pattern import PatternError, compiled

#: Error type -> what kind of mistake it is; nothing else is raised from here.
ERROR_TYPES = {
    "unit": "a number without a unit, or with an unknown one",
    "range": "a number outside its range",
    "percent_range": "a percentage outside its range",
    "time_zone": "a time zone nobody knows",
    "time_of_day": "not a time of day",
    "regex": "not a regular expression",
    "cron": "not a cron expression",
    "path": "not an absolute, plain path",
    "octal": "not a file mode in octal",
    "name": "not a plain name",
    "address": "not an address",
    "text": "not a text",
    # Raised by the models of agents and actions, about what their own keys say together. Their context may name the key
    # below the model as `at` ("thresholds.cpu.clear") and a second one as `see`.
    "clear": "a clear that is not below its threshold",
    "conflict": "settings that contradict each other",
    "reference": "a name that refers to nothing",
    "cycle": "things that depend on each other in a circle",
    "root": "a command that would run as root without saying so",
    "protected": "a protected thing as a target",
    "later": "a part of the grammar that a later version brings",
}

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_BYTES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?", re.ASCII)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
_LONGEST = timedelta(days=3660)
_LARGEST = 2**60
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|\d{1,10}", re.ASCII)
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.(?:service|socket|timer|mount|target|path|slice|scope)", re.ASCII)
_OCTAL = re.compile(r"[0-7]{3,4}", re.ASCII)
_KERNEL_SETTING = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z0-9_@:-]+(?:/[A-Za-z0-9_@:-]+)*)+", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>,;\x00-\x1f\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_HOST_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_.-]{1,253}):(\d{1,5})", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#\x00-\x20]+[^\s\x00-\x1f]*", re.ASCII)
_ACTION = re.compile(r"[a-z][a-z0-9_]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def refuse(
    type_: str, message: str, *, label: str = "", suggest: str = "", offset: int = -1, at: str = "", see: str = ""
) -> PydanticCustomError:
    """Return the error for one refused value; `type_` is one of `ERROR_TYPES`.

    `at` and `see` are dotted paths below the value: the key it is about, and the one it disagrees with.
    """
    given = {"label": label, "suggest": suggest, "at": at, "see": see}
    context: dict[str, Any] = {name: text for name, text in given.items() if text}
    if offset >= 0:
        context["offset"] = offset
    # Braces would be read as places to fill in.
    return PydanticCustomError(type_, message.replace("{", "(").replace("}", ")"), context or None)


def parse_duration(value: object) -> timedelta:
    """Return the duration that `30s`, `5m`, `2h`, `7d` or `1h30m` says; a bare number is refused."""
    if isinstance(value, timedelta):
        return value
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}s, {text}m or {text}h?")
    if not _DURATION.fullmatch(text):
        raise refuse("unit", f"is a duration like 30s, 5m, 2h or 7d, got `{text}`")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise refuse("range", f"is at most ten years, got `{text}`")
    return timedelta(seconds=seconds)


def parse_interval(value: object) -> timedelta:
    """Return a duration, where a bare number means seconds (only for keys of the short form)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value <= _LONGEST.total_seconds():
            raise refuse("range", f"is a number of seconds of at most ten years, got {value}")
        return timedelta(seconds=value)
    return parse_duration(value)


def format_duration(value: timedelta) -> str:
    """Return the duration as one would write it: `90s`, `5m`, `1d`."""
    milliseconds = round(value.total_seconds() * 1000)
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    seconds = milliseconds // 1000
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def parse_size(value: object) -> int:
    """Return the bytes that `512MiB` or `2GB` says; a bare number is refused."""
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}KiB, {text}MiB or {text}GiB?")
    match = _SIZE.fullmatch(text)
    if not match:
        raise refuse("unit", f"is a size like 512KiB, 50MiB or 2GiB, got `{text}`")
    unit = match[2]
    if unit not in _BYTES:
        near = next((name for name in _BYTES if name.lower() in (unit.lower(), unit.lower() + "b", unit.lower() + "ib")), "")
        raise refuse(
            "unit", f"has the unknown unit `{unit}`: one of {', '.join(_BYTES)}", suggest=near and f"{match[1]}{near}"
        )
    if (size := float(match[1]) * _BYTES[unit]) > _LARGEST:
        raise refuse("range", f"is at most 1 EiB, got `{text}`")
    return round(size)


def format_size(value: int) -> str:
    """Return the size in the largest binary unit that needs no fraction: `50MiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def parse_percent(value: object) -> float:
    """Return the number that `80%` says; a bare number is refused, since sizes stand beside percentages."""
    text = _text_of(value)
    if _NUMBER.fullmatch(text):
        raise refuse("unit", f"needs a unit, got `{text}`", label=f"{text}%?")
    match = _PERCENT.fullmatch(text)
    if not match:
        raise refuse("unit", f"is a percentage like 80%, got `{text}`")
    if not 0 <= (number := float(match[1])) <= 100:
        raise refuse("percent_range", f"is a percentage from 0 to 100, got {match[1]}")
    return number


def parse_threshold(value: object) -> float:
    """Return a percentage from 1 to 100, with or without the sign."""
    number: float
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        number = float(match[1])
    else:
        raise refuse("percent_range", f"is a percentage from 1 to 100, got `{_show(value)}`")
    if 1 <= number <= 100:
        return number
    raise refuse("percent_range", f"is a percentage from 1 to 100, got {number:g}", suggest=_meant(number))


def format_percent(value: float) -> str:
    """Return the percentage with its sign, without needless digits: `80%`."""
    return f"{value:g}%"


def parse_time_of_day(value: object) -> time:
    """Return the time of day that `"22:00"` says."""
    if isinstance(value, time):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value, re.ASCII)):
        return time(int(match[1]), int(match[2]))
    raise refuse("time_of_day", f"is a time of day from 00:00 to 23:59, got `{_show(value)}`")


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


#: Name, lowest, highest and words of each field of a cron expression.
_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def check_cron(value: str) -> str:
    """Return a cron expression of five fields (lists, ranges, steps, names; Sunday is 0, 7 or sun)."""
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise refuse("cron", f"is a cron expression of five fields (minute hour day month weekday), got {len(fields)}")
    for text, (name, lowest, highest, words) in zip(fields, _CRON_FIELDS, strict=True):
        for part in text.split(","):
            if not _cron_part(part.lower(), lowest, highest, words):
                offset = value.find(text)
                raise refuse("cron", f"has a wrong {name}: `{part}`", label=f"{lowest} to {highest}", offset=offset)
    return " ".join(fields)


def _cron_part(part: str, lowest: int, highest: int, words: tuple[str, ...]) -> bool:
    span, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 1 <= int(step[:4]) <= highest):
        return False
    if span == "*":
        return True
    numbers = [_cron_number(end, lowest, words) for end in span.split("-")]
    inside = all(number is not None and lowest <= number <= highest for number in numbers)
    return inside and len(numbers) <= 2 and numbers == sorted(numbers, key=lambda n: n or 0)


def _cron_number(text: str, lowest: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return words.index(text) + lowest
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None


def check_absolute_path(value: str) -> str:
    """Return the path if it is absolute, normalised (no `.`, `..` or empty parts) and without control characters."""
    if not value.startswith("/"):
        raise refuse("path", f"has to be an absolute path, got `{value}`")
    if _CONTROL.search(value):
        raise refuse("path", "has a control character in it")
    parts = value.rstrip("/").split("/")[1:]
    if any(part in ("", ".", "..") for part in parts):
        plain = "/" + "/".join(part for part in parts if part not in ("", "."))
        raise refuse(
            "path", f"has to be plain, without `.`, `..` or `//`, got `{value}`", suggest="" if ".." in parts else plain
        )
    return value.rstrip("/") or "/"


def check_plain_path(value: str) -> str:
    """Return an absolute path that holds no wildcard."""
    path = check_absolute_path(value)
    if re.search(r"[*?\[]", path):
        raise refuse("path", f"may not hold a wildcard, got `{value}`")
    return path


def check_glob_path(value: str) -> str:
    """Return an absolute path that may hold a wildcard in its last component only."""
    path = check_absolute_path(value)
    if re.search(r"[*?\[]", path.rpartition("/")[0]):
        raise refuse("path", f"may hold a wildcard in its last component only, got `{value}`")
    if path.rpartition("/")[2] in ("*", "**"):
        raise refuse("path", "may not be every file of a directory; name an ending", label="like *.log")
    return path


def check_octal_mode(value: object) -> str:
    """Return a quoted octal mode of three or four digits; a bare number is refused, since YAML reads 0600 as 600."""
    if isinstance(value, str) and _OCTAL.fullmatch(value):
        return value.zfill(4)
    if isinstance(value, int) and not isinstance(value, bool):
        raise refuse("octal", "is a file mode and must be quoted", label=f'write "{value:04d}"')
    raise refuse("octal", f'is a file mode in octal like "0640", got `{_show(value)}`')


def _matching(pattern: re.Pattern[str], type_: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise refuse(type_, f"is {what}, got `{_show(value)}`")
        return value

    return AfterValidator(check)


def check_host_port(value: str) -> str:
    """Return `HOST:PORT` (IPv6 in brackets) if the port is from 1 to 65535."""
    match = _HOST_PORT.fullmatch(value)
    if not match or not 1 <= int(match[1]) <= 65535:
        raise refuse("address", f"is HOST:PORT with a port from 1 to 65535, got `{_show(value)}`")
    return value


def check_line(value: str) -> str:
    """Return a text of one line without control characters."""
    if _CONTROL.search(value):
        raise refuse("text", "has a control character in it; one line of plain text is wanted")
    return value


def at_least(least: timedelta) -> AfterValidator:
    """Return what refuses a shorter duration."""

    def check(value: timedelta) -> timedelta:
        if value < least:
            raise refuse("range", f"is at least {format_duration(least)}, got {format_duration(value)}")
        return value

    return AfterValidator(check)


def _text_of(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse("unit", f"is a number with a unit, got `{_show(value)}`")
    return value.strip() if isinstance(value, str) else f"{value}"


def _show(value: object) -> str:
    """Return a value for a message: YAML's words, one line, bounded."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    return _CONTROL.sub("?", str(value))[:60]


def _meant(number: float) -> str:
    """Return the percentage that was probably meant: a fraction, or a digit too many."""
    for guess in (number * 100, number / 10):
        if 1 <= guess <= 100 and guess == round(guess):
            return f"{guess:g}"
    return ""


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
