"""Time stamps as logs write them, and what is to be made of those without a year, without a zone or ahead of the time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from zen_agents.dataclass import dataclass

#: A stamp may be ahead of the time at which it is read by so many seconds: clocks differ. Beyond, it is not believed.
AHEAD_SECONDS = 60.0
#: A stamp without a year is of the latest year in which it is not further ahead than a day: it may have another zone.
_A_DAY = 86400.0
#: 29 February may be so many years ago: 2100 is no leap year.
_YEARS_BACK = 9

#: A date and time of ISO 8601, as RFC 3339 and most programs write it: also with a space, a comma, a dot or slashes.
ISO = (
    r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?: ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?"
)
#: A date and time of RFC 3339, as syslog daemons and `journalctl` write it.
STRICT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
#: A date and time of RFC 3164: no year, no zone. Some leave out the blank before a day of one digit; journald can add a
#: fraction.
SHORT = r"[A-Z][a-z]{2} (?:[ 0-9]?[0-9]) [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
#: A date and time of the common log format.
COMMON = r"[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}"

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_ISO = re.compile(ISO)
_SHORT = re.compile(SHORT)
_COMMON = re.compile(COMMON)
_NUMBER = re.compile(r"[0-9]{9,19}(?:\.[0-9]{1,9})?")
#: Seconds since the epoch have at most so many digits before the year 5138; longer ones are milli-, micro- or nanoseconds.
_DIGITS_OF_SECONDS = 11
#: So many stamps that were read are remembered.
_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Stamps:
    """Reads time stamps. Each method returns seconds since the epoch, None for what is no time or cannot be true."""

    #: When the lines are read, in seconds since the epoch; of an archive, when it was last written to.
    now: float
    #: That of stamps which name none; None for the one of this host.
    zone: tzinfo | None = None
    #: What was read lately: lines of one second have the same stamp.
    known: dict[str, float | None] = field(default_factory=dict)

    def read(self, text: str) -> float | None:
        """Return what a stamp in any of the forms says: ISO 8601, RFC 3164, common log format, a number since the epoch."""
        if _ISO.fullmatch(text):
            return self.iso(text)
        if _SHORT.fullmatch(text):
            return self.short(text)
        if _COMMON.fullmatch(text):
            return self.common(text)
        return self.number(text)

    def iso(self, text: str) -> float | None:
        """Return what a stamp of ISO 8601 says; a leap second counts as the one before it."""
        return self._once(text, self._iso)

    def short(self, text: str) -> float | None:
        """Return what a stamp without a year says: it is of the latest year in which that is not in the future."""
        return self._once(text, self._short)

    def dated(self, year: str, text: str) -> float | None:
        """Return what a stamp says that has its year in another place."""
        return self._believed(self._moment(int(year), text[:3], text[4:6], text[7:], self.zone))

    def common(self, text: str) -> float | None:
        """Return what a stamp of the common log format says."""
        return self._once(text, self._common)

    def _once(self, text: str, read: Callable[[str], float | None]) -> float | None:
        known = self.known
        if text in known:
            return known[text]
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[text] = at = read(text)
        return at

    def _iso(self, text: str) -> float | None:
        day, rest = text[:10].replace("/", "-").replace(".", "-"), text[10:].replace(" ", "")
        try:
            moment = datetime.fromisoformat(f"{day}T{rest.removeprefix('T').replace(':60', ':59')}")
        except ValueError:
            return None
        return self._true(moment)

    def _short(self, text: str) -> float | None:
        month, day, time = text[:3], text[4:6], text[6:].lstrip()
        # A day ahead, and another for how far zones differ.
        last_year = datetime.fromtimestamp(self.now + 2 * _A_DAY, UTC).year
        for year in range(last_year, last_year - _YEARS_BACK - 1, -1):
            latest = self._moment(year, month, day, time, self.zone)
            if latest is not None and latest <= self.now + _A_DAY:
                return latest if latest <= self.now + AHEAD_SECONDS else None
        return None

    def _common(self, text: str) -> float | None:
        day, month, rest = text.split("/", 2)
        year, time, offset = rest[:4], rest[5:13], rest[14:]
        minutes = int(offset[1:3]) * 60 + int(offset[3:5])
        if minutes >= 24 * 60:
            return None
        zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
        return self._believed(self._moment(int(year), month, day, time, zone))

    def number(self, text: str) -> float | None:
        """Return what a number since the epoch says: of seconds, milli-, micro- or nanoseconds, as its size tells."""
        if not _NUMBER.fullmatch(text):
            return None
        value, digits = float(text), len(text.partition(".")[0])
        while digits > _DIGITS_OF_SECONDS:
            value, digits = value / 1000, digits - 3
        return self._believed(value)

    def _moment(self, year: int, month: str, day: str, time: str, zone: tzinfo | None) -> float | None:
        try:
            hour, minute, second = (float(part) for part in time.split(":"))
            moment = datetime(
                year, _MONTHS.get(month, 0), int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone
            )
            return moment.timestamp() + second % 1
        except (ValueError, OverflowError, OSError):
            return None

    def _true(self, moment: datetime) -> float | None:
        try:
            aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)
            return self._believed(aware.timestamp())
        except (ValueError, OverflowError, OSError):
            return None

    def _believed(self, at: float | None) -> float | None:
        return at if at is not None and 0 <= at <= self.now + AHEAD_SECONDS else None
