"""The arguments of what people ask: read strictly, an error says which flag is meant."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.errors import UsageError

#: Names that an error lists at most.
MOST_LISTED = 30
#: How long an acknowledgement keeps the engine off where nobody says (seconds).
ACKNOWLEDGED_FOR = 3600.0
#: The longest pause or window without a confirmation (seconds).
LONGEST_PAUSE = 86400.0
#: No time that a person names is longer (seconds): a century.
MOST_SECONDS = 100 * 365 * 86400.0


def text_of(args: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a text of printable characters, at most 500; UsageError if it is needed and empty."""
    value = args.get(name, default)
    text = "".join(character for character in value if character.isprintable()) if isinstance(value, str) else ""
    if not isinstance(value, str) or (default is None and not text.strip()):
        raise UsageError(f"--{name} TEXT is needed")
    return text[:500]


def seconds_of(args: Mapping[str, Any], name: str = "for_seconds", flag: str = "--for") -> float:
    """Return a length of time, `ACKNOWLEDGED_FOR` where none is given; UsageError for one that is none."""
    value = args.get(name, ACKNOWLEDGED_FOR)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_SECONDS:
        raise UsageError(f"{flag} DURATION is needed, longer than nothing: 30m, 2h")
    return float(value)


def pause_of(args: Mapping[str, Any]) -> float | None:
    """Return how long `--pause` is to last, None where it is not given; UsageError for more than a pause may last."""
    if args.get("pause_seconds") is None:
        return None
    seconds = seconds_of(args, "pause_seconds", "--pause")
    if seconds > LONGEST_PAUSE:
        raise UsageError("a pause with a no ends within 24 h; nothing was answered. For longer: zen-agents pause --help")
    return seconds


def listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:MOST_LISTED]) + (f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else "")


def override_of(args: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the guards that a person passes."""
    return names_of(args, "override", "--override takes guards' names, separated by commas")


def names_of(args: Mapping[str, Any], name: str, otherwise: str) -> frozenset[str]:
    """Return a list of names; UsageError with `otherwise` if it is none."""
    names = args.get(name) or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise UsageError(otherwise)
    return frozenset(names)


def names_this_host(name: object, host_name: str) -> bool:
    """Tell whether a person typed this host's name: the one in messages, or the one that the plain scripts print."""
    return name in (host_name, os.uname().nodename)


def confirm_if_long(args: Mapping[str, Any], seconds: float, host_name: str, what: str) -> None:
    """Raise UsageError if `what` is to last longer than a day and nobody confirmed that with the host's name."""
    if seconds > LONGEST_PAUSE and not names_this_host(args.get("confirm"), host_name):
        raise UsageError(f"{what} ends within 24 h; for longer add --confirm {host_name}")
