"""Values as people read them: `10m`, `4m12s`, `last run 4m ago`."""

from __future__ import annotations

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def span(seconds: float) -> str:
    """Return a length of time by its two largest units, whole seconds: `45s`, `10m`, `4m12s`, `2h5m`."""
    rest = max(0, round(seconds))
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return "".join(parts[:2]) or "0s"


def one_line(text: str, *, most: int = 300) -> str:
    """Return untrusted text as one bounded line without control characters."""
    if text.isprintable():
        return text.strip()[:most]
    return "".join(character if character.isprintable() else " " for character in text).strip()[:most]
