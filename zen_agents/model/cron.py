"""Expressions of cron(8), checked field by field."""

from __future__ import annotations

from zen_agents.model.refusals import refuse

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
