"""What stands in a cell of a row, for people: so that nothing in it that matters goes unseen."""

from __future__ import annotations

from unicodedata import combining, is_normalized


def visible(text: str | None) -> str | None:
    """Return a cell as it can be told from others by eye.

    It stands in quotes where it is empty, has a blank at one of its ends, or holds what is not seen as what it is: a tab, an
    end of line, a mark of direction, an accent apart from its letter. Those are written as escapes.
    """
    if text is None or (text and text == text.strip() and text.isprintable() and is_normalized("NFC", text)):
        return text
    # An accent belongs to its letter where there is no other way to write both.
    apart = not is_normalized("NFC", text)
    return f"'{''.join(_seen(each, apart=apart) for each in text)}'"


def _seen(character: str, *, apart: bool) -> str:
    is_plain = character.isprintable() and not (apart and (combining(character) or not is_normalized("NFC", character)))
    return character if is_plain else character.encode("unicode_escape").decode("ascii")
