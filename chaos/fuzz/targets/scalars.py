"""Durations, sizes, percentages, times, cron, patterns, paths and modes: a value or a refusal of a known type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pydantic_core import PydanticCustomError

from chaos.fuzz.promise import promise
from zen_agents.model import cron, plain_path, quantities, scalars
from zen_agents.model.refusals import ERROR_TYPES

_READERS: tuple[Callable[[str], object], ...] = (
    quantities.parse_duration,
    quantities.parse_interval,
    quantities.parse_size,
    quantities.parse_percent,
    quantities.parse_threshold,
    quantities.parse_time_of_day,
    scalars.check_time_zone,
    scalars.check_regex,
    cron.check_cron,
    plain_path.check_plain_path,
    plain_path.check_glob_path,
    scalars.check_octal_mode,
    scalars.check_host_port,
    scalars.check_line,
)
SEEDS = (
    b"5m",
    b"1h30m",
    b"0.5s",
    b"512MiB",
    b"2GB",
    b"80%",
    b"22:00",
    b"Europe/Berlin",
    b"../../etc/passwd",
    b"(a|b)*[c-d]{1,3}",
    b"*/5 0-3 1,2 jan sun",
    b"/var/log/*.log",
    b"/a/../b",
    b"0640",
    b"[::1]:80",
    b"db.example.com:5432",
    b"(?a)(?u)x",
    b"(?P<a>",
)
WORDS = (b"ms", b"KiB", b"%", b"(?", b"{1,", b"(?<=", b"\\d", b"jan", b"*/", b"/..", b"(?i:", b"(?L)")


def fuzz(data: bytes) -> None:
    """Read one text as every kind of scalar."""
    text = data.decode("utf-8", "replace")
    for reader in _READERS:
        try:
            value = reader(text)
        except PydanticCustomError as error:
            promise(error.type in ERROR_TYPES, f"{reader.__name__} refuses with the unknown type {error.type}")
            continue
        if isinstance(value, timedelta):
            meant = quantities.parse_duration(quantities.format_duration(value))
            promise(abs(meant - value) <= timedelta(milliseconds=1), f"{text!r} does not survive being written")
        elif reader is quantities.parse_size and isinstance(value, int):
            promise(
                quantities.parse_size(quantities.format_size(value)) == value, f"{text!r} does not survive being written"
            )
