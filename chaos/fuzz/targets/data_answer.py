"""What workers say of data sets, and what is kept of earlier looks: read as it is, or an error of a known type."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ValidationError

from chaos.fuzz.promise import promise
from zen_agents.datasets.job import difference_in, report_in
from zen_agents.datasets.plain import MalformedDatasetError, history_from_plain, history_to_plain, profile_from_plain
from zen_agents.jobs.data_failing import DataFailingReply
from zen_agents.jobs.data_repair import DataRepairReply, Replaced
from zen_agents.jobs.data_snapshot import DataSnapshotReply
from zen_agents.jobs.table_repair import TableChanged, TableReady, TableReply

SEEDS = (
    b'{"report":{"dataset":"a","started_at":1.0,"took_seconds":0.1,"rows":3,"findings":[]}}',
    b'{"files":[{"path":"/srv/a","rows":3,"kept":2,"taken":1,"identity":[1,2,3,4],"preview":[{"number":1,"cells":[]}]}]}',
    b'{"repair":{"place":"t","rows":1,"kept":1},"settled":"done"}',
    b'{"failing":[{"path":"/srv/a","why":"x"}],"files":2}',
    b'{"mark":"1:2","ready":true}',
    b'{"kept":"q-1","taken_to":"","repair":null}',
    b'{"unable":"no"}',
    b'{"rows":5,"columns":{}}',
    b'{"runs":[{"started_at":1e999,"outcome":"passed"}]}',
    b'{"difference":null,"unable":"x"}',
    b"[" * 3000,
    b'{"files":[{"path":1e400}]}',
)
WORDS = (
    b'"rows":',
    b'"report":',
    b'"findings":[',
    b'"columns":{',
    b'"number":',
    b"null",
    b"NaN",
    b"1e999",
    b"\\ud800",
    b"-1",
)
_REPLIES: Sequence[type[BaseModel]] = (
    DataRepairReply, DataFailingReply, DataSnapshotReply, TableReply, TableReady, TableChanged, Replaced,
)  # fmt: skip


def fuzz(data: bytes) -> None:
    """Read one text as each of the answers, and as what was kept."""
    text = data.decode("utf-8", "replace")
    for reply in _REPLIES:
        with contextlib.suppress(ValidationError):
            read = reply.model_validate_json(text)
            promise(reply.model_validate_json(read.model_dump_json()) == read, f"{reply.__name__} changed on its way")
    for read_it in _READERS:
        with contextlib.suppress(MalformedDatasetError):
            read_it(text)


def _json(text: str) -> object:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    return None


def _profile(text: str) -> None:
    profile_from_plain(_json(text))


def _history(text: str) -> None:
    kept = history_from_plain(_json(text))
    promise(history_to_plain(history_from_plain(history_to_plain(kept))) == history_to_plain(kept), "what was kept changed")


_READERS: Sequence[Callable[[str], object]] = (report_in, difference_in, _history, _profile)
