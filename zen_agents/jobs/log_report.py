"""The request, the progress and the reply of the worker that says what logs say as a whole. JSON, checked on reading."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.log_report"


#: In the place of a file.
STDIN = "-"


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportRequest(_Job):
    """Which files, from when on. Packed ones are unpacked while they are read."""

    #: Absolute paths, or `-`: what comes on stdin behind the request, which is one line then.
    files: tuple[str, ...] = Field(min_length=1, max_length=10_000)
    #: Lines before then (seconds since the epoch) only tell what is not new; None: everything counts.
    since: float | None = None
    #: What the clock says.
    now: float
    #: So many of each list are returned.
    most: int = Field(20, ge=1, le=500)


class ReportProgress(_Job):
    """How far it is: a line of standard error, in JSON."""

    #: Bytes as they lie on the disk that were read of all files, and how many they are in all.
    read: int
    size: int
    lines: int


class TemplateSeen(_Job):
    """One kind of lines. All texts are untrusted."""

    text: str
    example: str
    lines: int
    #: When its first and last line came (seconds since the epoch); 0 where lines say no time.
    first: float
    last: float


class OperationSeen(_Job):
    """How long one operation took (seconds)."""

    operation: str
    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    longest: float


class PartSeen(_Job):
    """One part of the time: when it begins, and what came in it."""

    at: float
    lines: int
    errors: int


class EventSeen(_Job):
    """Something that lines tell of security, in words, untrusted: it was there `count` times, and at most `missed` more."""

    text: str
    count: int
    missed: int = 0


class FileRead(_Job):
    """One file: how its lines are written, and why it was not read to its end."""

    file: str
    format: str
    why: str = ""
    #: Lines of which only the beginning was looked at, and how many bytes of them were not.
    shortened: int = 0
    dropped: int = 0


class ReportReply(_Job):
    """What the logs say."""

    files: tuple[FileRead, ...]
    lines: int
    errors: int
    #: Lines from before `since`, which count for nothing else.
    older: int
    first: float | None
    last: float | None
    #: How long a part of the time is (seconds).
    part_seconds: int
    parts: tuple[PartSeen, ...]
    kinds: int
    templates: tuple[TemplateSeen, ...]
    error_templates: tuple[TemplateSeen, ...]
    new_templates: tuple[TemplateSeen, ...]
    security: tuple[EventSeen, ...]
    #: How many of these there were in all.
    security_events: int = 0
    operations: tuple[OperationSeen, ...]
