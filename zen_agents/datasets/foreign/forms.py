"""Forms of text that contracts name by a word, as expressions that the whole of a value has to match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Form -> expression. E-mail as HTML's `input type=email` takes it; the others as their standard's grammar has them.
FORMS: Final[Mapping[str, str]] = {
    "email": r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
    # RFC 3986, section 3: a scheme, and no blank or control character behind it.
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*",
    # RFC 1123, section 2.1.
    "hostname": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
    "ipv4": r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)",
    # RFC 4648, section 4.
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    # XML Schema 1.1: gYear, gYearMonth, duration.
    "year": r"-?(?:[1-9]\d{3,}|0\d{3})",
    "year_month": r"-?(?:[1-9]\d{3,}|0\d{3})-(?:0[1-9]|1[0-2])",
    "duration": r"-?P(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?",
    # Longitude and latitude.
    "point": r"-?\d+(?:\.\d+)?, ?-?\d+(?:\.\d+)?",
    "object": r"(?s)\s*\{.*\}\s*",
    "array": r"(?s)\s*\[.*\]\s*",
}


def anywhere(pattern: str) -> str:
    """Return an expression whose whole match is a text in which this one is found anywhere."""
    return f"(?s:.*)(?:{pattern})(?s:.*)"
