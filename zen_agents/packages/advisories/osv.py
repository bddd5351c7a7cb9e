"""Reads records of the OSV schema 1.x. Only what can be compared by version is kept: ranges of commits are left out."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zen_agents.packages.advisories.advisory import Advisory, Affected, Bound, Event, MalformedAdvisoryError
from zen_agents.packages.advisories.severity import severity_of
from zen_agents.packages.package import Ecosystem, normal_name

#: As OSV calls them. Debian's packages are judged by Debian's own tracker.
ECOSYSTEMS: Final = {"PyPI": Ecosystem.PYPI, "npm": Ecosystem.NPM}
NAMES: Final = {ecosystem: name for name, ecosystem in ECOSYSTEMS.items()}
#: A record of more (bytes) is nobody's; the longest ones list thousands of versions.
MOST_RECORD_BYTES: Final = 16 << 20
_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}$"
_SUMMARY_CHARACTERS: Final = 300

RecordId = Annotated[str, Field(pattern=_ID)]


class _Event(BaseModel):
    # An event of a kind that is not known may be what ends a range, or begins it: such a record is refused.
    model_config = ConfigDict(extra="forbid")
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(BaseModel):
    type: str
    events: list[_Event] = []


class _Package(BaseModel):
    ecosystem: str
    name: str


class _Severity(BaseModel):
    type: str
    score: str


class _Affected(BaseModel):
    package: _Package | None = None
    ranges: list[_Range] = []
    versions: list[str] = []
    severity: list[_Severity] | None = []


class _Record(BaseModel):
    id: RecordId
    schema_version: str = "1.0.0"
    withdrawn: str | None = None
    aliases: list[str] | None = []
    summary: str | None = ""
    details: str | None = ""
    affected: list[_Affected] | None = []
    severity: list[_Severity] | None = []
    database_specific: dict[str, Any] | None = {}


def advisory_of(record: bytes) -> Advisory:
    """Return the advisory that a record holds; MalformedAdvisoryError says what is wrong with it."""
    try:
        read = _Record.model_validate_json(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MalformedAdvisoryError(f"is no record of OSV: {f'{place}: ' if place else ''}{first['msg']}") from None
    if not read.schema_version.startswith("1."):
        raise MalformedAdvisoryError(f"is of OSV schema {read.schema_version[:20]!r}, and 1.x is known")
    affected = read.affected or []
    said = (read.severity or [], *(one.severity or [] for one in affected))
    vectors = [each.score for part in said for each in part]
    text = (read.summary or read.details or "").strip()
    return Advisory(
        read.id, frozenset(read.aliases or ()) - {read.id}, tuple(kept for one in affected if (kept := _affected(one))),
        summary=" ".join(text.split())[:_SUMMARY_CHARACTERS],
        severity=severity_of(vectors, str((read.database_specific or {}).get("severity", ""))),
        is_withdrawn=bool(read.withdrawn),
    )  # fmt: skip


def _affected(one: _Affected) -> Affected | None:
    ecosystem = ECOSYSTEMS.get(one.package.ecosystem) if one.package else None
    if ecosystem is None or one.package is None:
        return None
    ranges = tuple(_events(each) for each in one.ranges if each.type != "GIT")
    return Affected(ecosystem, normal_name(ecosystem, one.package.name), ranges, tuple(one.versions))


def _events(given: _Range) -> tuple[Event, ...]:
    said = ((bound, getattr(event, bound.value)) for event in given.events for bound in Bound)
    return tuple(Event(bound, version) for bound, version in said if version is not None)
