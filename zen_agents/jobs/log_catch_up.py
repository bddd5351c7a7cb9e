"""The request and the reply of the worker that looks for a source's patterns in what nobody has read for long.

JSON, checked on reading. Behind the request, which is one line, come pieces: a line of JSON each, and so many bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.log_catch_up"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepAsked(_Job):
    """Which lines count, as the settings have it."""

    match: str = ""
    where: dict[str, Any] | None = None
    sigma: dict[str, Any] | None = None


class PatternAsked(_Job):
    """One pattern: its steps, and the fields of the one rule about them."""

    name: str
    steps: tuple[StepAsked, ...] = Field(min_length=1)
    shares: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    counting: dict[str, Any] | None = None
    distinct: dict[str, Any] | None = None
    absence: dict[str, Any] | None = None
    sequence: dict[str, Any] | None = None


class CatchUpRequest(_Job):
    """What is looked for, how lines are written, and from where to go on."""

    patterns: tuple[PatternAsked, ...]
    format: str
    time_key: str = ""
    security: bool = False
    multiline: bool = False
    #: Name of a time zone for stamps without one, "" for that of the host.
    zone: str = ""
    #: What the patterns have found so far, as `SourceWatch.saved` gave it.
    saved: Mapping[str, Any]
    #: What the clock says (seconds since the epoch).
    now: float


class CatchUpPiece(_Job):
    """Whole lines of one file; their bytes follow."""

    path: str
    size: int = Field(ge=0, le=1 << 30)


class CatchUpReply(_Job):
    """What the patterns have found by then."""

    saved: dict[str, Any]
