"""`advisories:` who knows of weaknesses, how long their answers are kept, and which weaknesses are lived with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Duration, HttpUrl, Line
from zen_agents.model.section import Section
from zen_agents.packages.advisories.addresses import OSV, TRACKER


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _check_place(value: str) -> str:
    """Refuse what is neither an address nor an absolute path."""
    if value.startswith(("https://", "http://", "/")):
        return value
    raise refuse("address", f"is an address (https://...) or an absolute path, got `{value}`")


Where = Annotated[Line, BeforeValidator(lambda value: _check_place(value) if isinstance(value, str) else value)]


class IgnoredWeakness(Section):
    """One weakness that somebody decided to live with."""

    id: Annotated[Line, Field(min_length=1)] = Field(description="any name of it, like CVE-2026-1234")
    reason: Annotated[Line, Field(min_length=1)] = Field(description="why it is of no harm here")
    until: date = Field(description="last day on which that holds: YYYY-MM-DD")
    package: Line = Field("", description="only in this package; empty: in every one")


class AdvisorySettings(Section):
    """Without this section OSV and Debian's tracker are asked."""

    osv: Annotated[tuple[Where, ...], BeforeValidator(_listed, json_schema_input_type=Line | list[Line])] = Field(
        (OSV,), description="servers that speak OSV's API, directories or zips of its records: of Python and npm"
    )
    debian: Where = Field(TRACKER, description="feeds of Debian's tracker: an address, a directory or one file")
    npm: HttpUrl | None = Field(None, description="registry of npm that is asked besides, for what `npm audit` tells")
    exploited: Where | None = Field(
        None, description="catalogue of weaknesses that attackers use: an address or a file, as CISA publishes it"
    )
    vex: tuple[AbsolutePath, ...] = Field((), description="statements on what does not affect this host: OpenVEX, CycloneDX")
    ignore: tuple[IgnoredWeakness, ...] = Field((), description="weaknesses to live with, each with reason and end")
    cache_for: Duration = Field(timedelta(hours=6), description="what was answered longer ago is asked again")

    @property
    def question_words(self) -> Mapping[str, Any]:
        """The same, as a look is asked by it."""
        ignored = tuple((each.id, each.reason, each.until.isoformat(), each.package) for each in self.ignore)
        return {
            "osv": self.osv, "tracker": self.debian, "npm": self.npm or "", "exploited": self.exploited or "",
            "vex": self.vex, "ignore": ignored, "max_age_seconds": seconds_in(self.cache_for),
        }  # fmt: skip
