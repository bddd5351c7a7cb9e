"""How bad a line says it is: one word for what programs spell in many ways."""

from __future__ import annotations

#: The severities of RFC 5424, section 6.2.1, by their number.
SYSLOG = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
#: Its facilities, by their number; the last eight are for local use.
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
    "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
#: Numbers by which bunyan and pino write levels.
_NUMBERS = {"10": "trace", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "critical"}
_WORDS = {
    "emerg": "emergency", "panic": "emergency", "crit": "critical", "fatal": "critical", "severe": "error", "err": "error",
    "eror": "error", "e": "error", "f": "critical", "warn": "warning", "w": "warning", "information": "info",
    "informational": "info", "i": "info", "d": "debug", "fine": "debug", "finer": "trace", "finest": "trace", "t": "trace",
}  # fmt: skip


def level_of(text: str) -> str:
    """Return the word of this module for a level, or what was written in lower case if it has none."""
    word = text.strip().lower()
    return _WORDS.get(word) or _NUMBERS.get(word) or word


def of_priority(priority: int) -> tuple[str, str]:
    """Return facility and level of a syslog priority; a facility that nobody defined by its number."""
    facility, severity = divmod(priority, 8)
    return FACILITIES[facility] if facility < len(FACILITIES) else str(facility), SYSLOG[severity]
