"""What every message says about where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AlertContext:
    """The host and the engine as messages name them; resolved once, so that keys match over restarts."""

    host_name: str
    version: str = ""
    #: Short digest of the configuration in use.
    config_digest: str = ""
    #: IANA zone in which times are shown.
    timezone: str = "UTC"
    labels: Mapping[str, str] = field(default_factory=dict)
    #: `console.public_url`; links appear only if it is set.
    public_url: str = ""

    @property
    def zone(self) -> tzinfo:
        """Return the zone for display; UTC if the name is not known on this host."""
        return zone(self.timezone)

    @property
    def domain(self) -> str:
        """Return the host name in the form that fits message ids and addresses."""
        return re.sub(r"[^A-Za-z0-9.-]+", "-", self.host_name).strip(".-")[:200] or "localhost"

    def link(self, incident: str | None) -> str:
        """Return the console's page of an incident, "" without a console or an incident."""
        base = self.public_url.rstrip("/")
        return f"{base}/i/{incident}" if base and incident else ""


@lru_cache(maxsize=16)
def zone(name: str) -> tzinfo:
    """Return an IANA zone, UTC if this host does not know it: a message is never lost over its clock face."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock_face(moment: datetime, context: AlertContext) -> str:
    """Return `03:11:32` in the zone of display."""
    return f"{moment.astimezone(context.zone):%H:%M:%S}"


def zone_line(moment: datetime, context: AlertContext) -> str:
    """Return `Times are Europe/Berlin (UTC+1).`, as valid at that moment."""
    offset = moment.astimezone(context.zone).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    name = context.timezone if context.zone is not UTC else "UTC"
    if not minutes:
        return f"Times are {name}." if name == "UTC" else f"Times are {name} (UTC)."
    hours, rest = divmod(abs(minutes), 60)
    return f"Times are {name} (UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''})."
