"""In which characters a text file is written: as the contract says, as its first bytes say, or as they look."""

from __future__ import annotations

import codecs
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
#: Python's name of an encoding -> the one of those that the database reads itself; others are written anew for it.
_READ_BY_DATABASE: Final = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "ascii": "utf-8", "iso8859-1": "latin-1", "utf-16-le": "utf-16",
}  # fmt: skip
#: What text that is no UTF-8 is usually written in.
_USUAL: Final = ("shift_jis", "cp1252", "latin-1")
#: What a mark decides alone, and what is no way to write a file.
_OPEN: Final = frozenset({"utf-16", "utf-32"})
_NO_FILES: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"})
_LOOKED_AT: Final = 1000


def known(said: str) -> str:
    """Return Python's name of an encoding; "" for what is none that a file can be written in."""
    try:
        found = codecs.lookup(said)
    except (LookupError, ValueError):
        return ""
    is_text = getattr(found, "_is_text_encoding", True)
    return found.name if is_text and found.name not in _NO_FILES else ""


def load(said: str) -> None:
    """Load what may be needed, for whoever cannot reach it any more once root was given up."""
    for each in (*_USUAL, *_READ_BY_DATABASE, "utf-16", "utf-16-be", "utf-32", *([said] if said else [])):
        known(each)


def encoding_in(head: bytes) -> str:
    """Return the encoding that the first bytes of a file show; "" if they show none."""
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")
    begin = head[:_LOOKED_AT]
    if marked == "utf-16":
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if marked or begin.count(0) <= len(begin) // 4:
        return marked
    return "utf-16-le" if begin[1::2].count(0) > begin[::2].count(0) else "utf-16-be"


def is_marked(head: bytes) -> bool:
    """Tell whether a file begins with a byte-order mark."""
    return any(head.startswith(mark) for mark, _ in _MARKS)


def agree(said: str, shown: str) -> bool:
    """Tell whether a file may be what is said of it, going by what its first bytes show."""
    return said == shown or (said in _OPEN and shown.startswith(said)) or (said == "utf-8-sig" and shown == "utf-8")


def by_database(name: str) -> str:
    """Return what the database calls an encoding that it reads itself; "" for one that it does not."""
    return _READ_BY_DATABASE.get(name, "")


def looks_like(text: bytes) -> str:
    """Return what a text that is no UTF-8 is most likely written in."""
    high = bytes(each for each in text if each >= 0x80)
    for each in _USUAL:
        try:
            read = text.decode(each)
        except UnicodeDecodeError:
            continue
        if each == "shift_jis" and not _is_japanese(read):
            continue
        if each == "cp1252" and not any(byte < 0xA0 for byte in high):
            continue
        return each
    return "latin-1"


def _is_japanese(text: str) -> bool:
    foreign = [each for each in text if each >= "\x80"]
    kana_and_signs = [each for each in foreign if "\u3000" <= each <= "\u9fff" or "\uff00" <= each <= "\uff60"]
    return len(kana_and_signs) > 0.9 * len(foreign)
