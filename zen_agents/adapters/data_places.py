"""Where a data set lies, as far as its paths tell: the worker, which opens the files, is the one to say what counts."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zen_agents.ports.host_datasets import DataQuestion


def files_of(asked: DataQuestion) -> Mapping[str, os.stat_result]:
    """Return the regular files that there are now, by path; none of a database server."""
    source: dict[str, Any] = json.loads(asked.request_json)["contract"]["source"]
    there = glob.iglob(source["path"], recursive=True)  # noqa: PTH207 - which would find hidden files as well
    found = {path: state_of(path) for path in there}
    return {path: state for path, state in found.items() if state is not None and stat.S_ISREG(state.st_mode)}


def bytes_of(asked: DataQuestion) -> int | None:
    """Return how many bytes a data set has in files, None if there is none of them."""
    files = files_of(asked)
    return sum(state.st_size for state in files.values()) if files else None


def state_of(path: str) -> os.stat_result | None:
    """Return what stands at a path itself, None for nothing or what cannot be told."""
    with contextlib.suppress(OSError):
        return Path(path).lstat()
    return None
