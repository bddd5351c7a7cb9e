"""dpkg's order (Debian policy 5.6.12).

Own code: the libraries that there are for Python are either under another kind of licence, or refuse versions that dpkg
takes and are many times slower. The tests hold it to dpkg itself.
"""

from __future__ import annotations

import re
from typing import Final

from zen_agents.packages.versions.order import InvalidVersionError

_EPOCH: Final = re.compile(r"[0-9]+")
_UPSTREAM: Final = re.compile(r"[A-Za-z0-9.+~:-]+")
_REVISION: Final = re.compile(r"[A-Za-z0-9.+~]+")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_RUN: Final = re.compile(r"([^0-9]*)([0-9]*)")
#: More is nobody's version; Python reads no number of more than 4300 digits.
_MOST_CHARACTERS, _SHOWN = 4096, 80
#: dpkg keeps an epoch in a signed integer.
_MOST_EPOCH: Final = (1 << 31) - 1
#: What comes after letters, in the order of ASCII.
_PUNCTUATION: Final = 256

Key = tuple[int, tuple[int, ...], tuple[int, ...]]


def key(version: str) -> Key:
    """Return what orders a Debian version."""
    epoch, has_epoch, rest = version.partition(":")
    upstream, has_revision, revision = (rest if has_epoch else version).rpartition("-")
    if not has_revision:
        upstream, revision = revision, "0"
    if not has_epoch:
        epoch = "0"
    forms = ((_EPOCH, epoch), (_UPSTREAM, upstream), (_REVISION, revision))
    if len(version) > _MOST_CHARACTERS or not all(form.fullmatch(part) for form, part in forms):
        raise InvalidVersionError(f"{version[:_SHOWN]!r} is no version as dpkg has it")
    if int(epoch) > _MOST_EPOCH:
        raise InvalidVersionError(f"{version[:_SHOWN]!r} has an epoch that dpkg cannot keep")
    return int(epoch), _weights(upstream), _weights(revision)


def leading_numbers(version: str) -> tuple[int, ...]:
    """See `order.leading_numbers`."""
    epoch, *_ = key(version)
    found = _NUMBERS.match(version.rpartition(":")[2])
    return epoch, *map(int, found[0].split(".") if found else ())


def _weights(part: str) -> tuple[int, ...]:
    """Return numbers that compare as dpkg compares: a run of other characters, a run of digits, and so on.

    A run of characters ends with 0, which stands above a tilde and below everything else.
    """
    weights: list[int] = []
    for text, digits in _RUN.findall(part):
        weights += [_weight(character) for character in text]
        weights.append(0)
        if text or digits:
            weights.append(int(digits or 0))
    return tuple(weights)


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + _PUNCTUATION
