"""What is known of earlier runs: in the directory that `--history` names, else what the engine keeps in its state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.cli.call import Call
from zen_agents.cli.render import note
from zen_agents.datasets.history import History
from zen_agents.datasets.plain import MalformedDatasetError, history_from_plain, history_to_plain
from zen_agents.errors import NotRunningError, UsageError, ZenError

_AGENT: Final = "data_validation"
#: More than the runs that are kept can come to.
_MOST_BYTES: Final = 16 << 20


class Histories:
    """Histories by the names of data sets. Only a directory that was named is written to."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._folder = None if call.arguments.history is None else Path(call.arguments.history)
        if self._folder is not None and not self._folder.is_dir():
            raise UsageError(f"--history {self._folder} is no directory; make it first")

    def of(self, name: str) -> History:
        """Return what is known; UsageError for a file that holds something else."""
        if self._folder is not None:
            return _read(self._file(self._folder, name))
        text = self._kept.get(f"data.{name}")
        return _parsed(text, f"what the state holds of {name}") if text is not None else History()

    def keep(self, name: str, history: History) -> None:
        """Write it down, whole or not at all, if a directory was named."""
        if self._folder is None:
            return
        path = self._file(self._folder, name)
        try:
            replace_durably(path, json.dumps(history_to_plain(history)).encode(), mode=0o644)
        except OSError as error:
            raise ZenError(f"{path} could not be written ({error.strerror}); it is as it was") from None

    @cached_property
    def _kept(self) -> Mapping[str, str]:
        if self._call.arguments.contract is not None:
            return {}
        try:
            return self._call.store().check_memories(_AGENT)
        except NotRunningError:
            return {}
        except ZenError as error:
            note(f"earlier runs are not known, so nothing can be compared with them: {error}")
            return {}

    @staticmethod
    def _file(folder: Path, name: str) -> Path:
        if "/" in name or name.startswith("."):
            raise UsageError(f"{name!r} cannot be the name of a file in {folder}; call the contract otherwise")
        return folder / f"{name}.json"


def _read(path: Path) -> History:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return History()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return _parsed(content, str(path))


def _parsed(content: bytes | str, place: str) -> History:
    try:
        return history_from_plain(json.loads(content))
    except (ValueError, RecursionError, MalformedDatasetError) as error:
        raise UsageError(f"{place} is no history of runs: {error}; move it away to begin anew") from None
