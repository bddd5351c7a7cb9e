"""What people decided about weaknesses, from their files: lists of what is ignored, and VEX documents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.errors import HostError, UsageError
from zen_agents.model.units import size_in_words
from zen_agents.packages.advisories.ignoring import Ignore
from zen_agents.packages.advisories.vex import Statement

_MOST_IGNORE_BYTES: Final = 1 << 20
_MOST_VEX_BYTES: Final = 64 << 20


class DecisionsError(UsageError):
    """A file of decisions cannot be read or understood; nothing is ignored or excused by it."""


def read_ignores(path: Path) -> tuple[Ignore, ...]:
    """Return the decisions in a YAML file; DecisionsError if it cannot be read or understood: nobody goes by half of it."""
    import yaml  # noqa: PLC0415  10 ms, where there is such a file

    from zen_agents.packages.advisories.ignore_lists import (  # noqa: PLC0415  50 ms, as above
        MalformedIgnoreListError,
        ignore_list,
    )

    try:
        return ignore_list(yaml.safe_load(_content(path, _MOST_IGNORE_BYTES)))
    except (yaml.YAMLError, MalformedIgnoreListError, RecursionError) as error:
        raise DecisionsError(f"{path}: {' '.join(str(error).split())}") from error


def read_vex(path: Path) -> tuple[Statement, ...]:
    """Return what a VEX document says; DecisionsError if it cannot be read or understood."""
    from zen_agents.packages.advisories.vex_documents import (  # noqa: PLC0415  40 ms, where there is such a document
        MalformedVexError,
        statements_of,
    )

    try:
        return statements_of(_content(path, _MOST_VEX_BYTES), str(path))
    except MalformedVexError as error:
        raise DecisionsError(f"{path} {error}") from error


def _content(path: Path, most_bytes: int) -> bytes:
    try:
        read = read_regular_file(os.path.realpath(path), limit=most_bytes + 1)
    except HostError as error:
        raise DecisionsError(f"{path} cannot be read: {error}") from error
    if read is None:
        raise DecisionsError(f"{path} is not there")
    if len(read[0]) > most_bytes:
        raise DecisionsError(f"{path} is larger than {size_in_words(most_bytes)}, and is not read")
    return read[0]
