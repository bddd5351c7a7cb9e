"""`sources:` where lines come from."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from zen_agents.logs.formats.base import Format
from zen_agents.logs.formats.catalog import made
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, GlobPath, Line, PositiveDuration, Size, TimeZone
from zen_agents.model.section import Apart, Section
from zen_agents.ports.host_logs import LogRequest

#: How fields of the journal are written here -> how the journal calls them. Others are written as the journal does.
JOURNAL_FIELDS = {
    "unit": "_SYSTEMD_UNIT", "transport": "_TRANSPORT", "identifier": "SYSLOG_IDENTIFIER", "facility": "SYSLOG_FACILITY",
    "priority": "PRIORITY", "executable": "_EXE", "user_id": "_UID",
}  # fmt: skip
#: Formats in which programs say who did what; in a plain log, those that keep one of their own.
_TELL_OF_SECURITY = ("syslog", "syslog5424", "access", "plain")

#: Where the settings of what few sources ask for are.
_STUDIES = "zen_agents.agents.log_analysis.studies"
#: Formats that have fields for how long something took.
_TELL_HOW_LONG = ("json", "access", "logfmt")


def check_journal_field(name: str) -> str:
    """Return the name of a field of the journal: one of `JOURNAL_FIELDS`, or in capitals."""
    if name in JOURNAL_FIELDS or (name.isascii() and name.upper() == name and name.replace("_", "").isalnum()):
        return name
    raise refuse("name", f"is no field of the journal: {', '.join(JOURNAL_FIELDS)}, or one in capitals like _COMM")


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class LogSource(Section):
    """One source: a file with its rotations, several files by a wildcard, or a part of the journal."""

    file: GlobPath | None = Field(None, description="path of a log, or a pattern for several in its last component")
    journal: dict[Annotated[str, AfterValidator(check_journal_field)], Line] | None = Field(
        None, description="fields that an entry of the journal must have, like transport: kernel; {}: all of it"
    )
    format: Literal["plain", "json", "syslog", "syslog5424", "access", "logfmt"] = Field(
        "plain", description="how a line is read; entries of the journal are syslog"
    )
    security: bool = Field(
        False, description="true: what lines tell of log-ins, privileges, accounts and attacks are fields as well"
    )
    multiline: bool = Field(
        True, description="true: a traceback, and lines indented below another, count as one with the line above"
    )
    time_key: Line = Field("", description="with format json: field that holds the time, where it has no usual name")
    timezone: TimeZone | None = Field(None, description="time zone of stamps without one; empty: that of this host")
    every: PositiveDuration = Field(
        timedelta(seconds=5),
        description="how often it is looked at; a write wakes, and a file at rest on a local disk is seen once a minute",
    )
    from_start: bool = Field(False, description="true: what is there at the first look counts, too")
    sample_beyond: Size = Field(
        2 << 30, description="further behind than this only samples of it are read, which is told; studies: at most 256MiB"
    )
    templates: Annotated[Any, Apart(f"{_STUDIES}:TemplateSettings")] = Field(
        None, description="kinds of lines that are new, that vanished, or that burst are told; {}: after a week of learning"
    )
    latency: Annotated[Any, Apart(f"{_STUDIES}:LatencySettings")] = Field(
        None, description="how long operations may take, which statements are slow, and how much may fail"
    )

    sigma: Annotated[
        tuple[AbsolutePath, ...], BeforeValidator(_listed, json_schema_input_type=AbsolutePath | list[AbsolutePath])
    ] = Field(
        (),
        description="files and directories of Sigma rules: each that these lines can tell is a pattern, called as its file",
    )
    queues: Annotated[Any, Apart(f"{_STUDIES}:QueueSettings")] = Field(
        None, description="queues whose lengths lines tell of: those that grow are told"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> LogSource:
        if (self.file is None) == (self.journal is None):
            raise refuse("one_of", "needs a `file` or a `journal`, and not both")
        # What `config show` writes out in full is no contradiction.
        if self.journal is not None and self.format != "plain":
            raise refuse("conflict", "stands beside `journal`, whose entries are syslog", at="format", see="journal")
        if self.security and self.journal is None and self.format not in _TELL_OF_SECURITY:
            told = ", ".join(_TELL_OF_SECURITY)
            raise refuse("conflict", f"is for the journal and for format {told}; this is {self.format}", at="security")
        if self.latency is not None and self.latency.reads_fields and self.format not in _TELL_HOW_LONG:
            told = ", ".join(_TELL_HOW_LONG)
            text = f"asks for more than `slow_query`, which needs format {told}; this is {self.format}"
            raise refuse("conflict", text, at="latency")
        if self.queues is not None and self.queues.match is None and self.format not in _TELL_HOW_LONG:
            told = ", ".join(_TELL_HOW_LONG)
            text = f"needs format {told}, or an expression: `match`; this is {self.format}"
            raise refuse("conflict", text, at="queues")
        if self.time_key and self.format != "json":
            raise refuse("conflict", f"is for format json, this is {self.format}", at="time_key")
        return self

    def form(self) -> Format:
        """Return what reads its lines."""
        return made(self.form_name, time_key=self.time_key, security=self.security)

    def written_in(self) -> Format:
        """Return what reads its lines, without what they tell of security."""
        return made(self.form_name, time_key=self.time_key)

    @property
    def form_name(self) -> str:
        """The name of that format."""
        return Syslog.name if self.journal is not None else self.format

    @property
    def written(self) -> tuple[str, str, bool]:
        """The same for a worker, as `checks.log_catch_up.Written`."""
        return self.form_name, self.time_key, self.security

    def request(self, *, most_behind: int | None = None) -> LogRequest:
        """Return what the host is asked for; `most_behind` for whoever reads more slowly than patterns are looked for."""
        fields = (self.journal or {}).items()
        matches = tuple(f"{JOURNAL_FIELDS.get(name, name)}={value}" for name, value in fields)
        return LogRequest(
            self.file or "", matches, from_start=self.from_start,
            most_behind=min(self.sample_beyond, most_behind or self.sample_beyond)
        )  # fmt: skip
