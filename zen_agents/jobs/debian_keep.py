"""The request and the reply of the worker that fetches the present .debs of packages before they change."""

from __future__ import annotations

import json
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.jobs.debian_look import change_of, cut, list_of, mapping, text_of, texts
from zen_agents.model.debian_upgrade import DebianChange

#: Module that does the job; adapters start it by this name and never import it.
WORKER: Final = "zen_agents.workers.debian_keep"


@dataclass(frozen=True, slots=True)
class KeepRequest:
    """Which .debs, and into which directory, that is nobody else's."""

    directory: str
    changes: tuple[DebianChange, ...]

    def to_json(self) -> str:
        """Return the request as JSON on one line."""
        changes = [each._asdict() for each in self.changes]
        return json.dumps({"version": 1, "directory": self.directory, "changes": changes})

    @classmethod
    def from_json(cls, text: str) -> KeepRequest:
        """Return the request in a text; raises MalformedDebianError."""
        job = mapping(text, cls)
        return cls(text_of(job["directory"]), tuple(change_of(each) for each in list_of(job["changes"])))


@dataclass(frozen=True, slots=True)
class KeepReply:
    """The names of the files in the directory, in the order of the changes; and why there is none."""

    names: tuple[str, ...] = ()
    failed: str = ""

    def to_json(self) -> str:
        """Return the reply as JSON on one line."""
        return json.dumps({"version": 1, "names": self.names, "failed": cut(self.failed)})

    @classmethod
    def from_json(cls, text: str) -> KeepReply:
        """Return the reply in a text; raises MalformedDebianError."""
        reply = mapping(text, cls)
        return cls(texts(reply["names"]), text_of(reply["failed"]))
