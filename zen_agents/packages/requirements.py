"""What a Python project asks for, as far as it says which version: its requirements, line by line.

Only a pin (`flask==3.0`) says what is installed. Everything else is asked for and not known, which is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement


class RequirementError(ValueError):
    """It does not say which version of which package is installed; the message says why."""


class Pin(NamedTuple):
    """One package of one version that is asked for."""

    name: str
    version: str
    #: On which platforms alone, "" for all: two pins of one package may stand beside each other if they have markers.
    marker: str


class Line(NamedTuple):
    """One requirement, or option, of a file."""

    #: Where it begins, from 1.
    number: int
    text: str


#: More is nobody's requirement, its hashes included.
_MOST_CHARACTERS: Final = 65_536
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
#: What belongs to one requirement, behind it.
_OPTIONS: Final = re.compile(r"\s--[a-z][a-z-]*(?:[= ].*)?$")


def lines_of(text: str) -> Iterator[Line]:
    """Yield what a requirements file says, without comments; a line that ends with a backslash goes on in the next."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        first = first if parts else number
        bare = _COMMENT.sub("", line).rstrip()
        parts.append(bare.removesuffix("\\").strip())
        if bare.endswith("\\"):
            continue
        if whole := " ".join(filter(None, parts)):
            yield Line(first, whole)
        parts = []
    if whole := " ".join(filter(None, parts)):
        yield Line(first, whole)


def pin_of(text: str) -> Pin:
    """Return the pin that a requirement is; RequirementError if it is none."""
    if len(text) > _MOST_CHARACTERS:
        raise RequirementError("is no requirement: it is too long")
    try:
        read = Requirement(_OPTIONS.sub("", text))
    except InvalidRequirement as error:
        raise RequirementError(f"is no requirement: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise RequirementError("is no requirement: its conditions are nested too deeply") from None
    if read.url:
        raise RequirementError(f"takes {read.name} from a URL: which version that is stays unknown")
    for each in read.specifier:
        if each.operator in ("==", "===") and not each.version.endswith(".*"):
            return Pin(read.name, each.version, str(read.marker or ""))
    raise RequirementError(f"does not pin {read.name} (`==`): which version is installed stays unknown")
