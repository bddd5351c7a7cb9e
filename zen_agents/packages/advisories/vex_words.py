"""The words that documents of VEX share: what a status is called, when something was said, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from zen_agents.packages.advisories.vex import VexStatus

_STATUS: Final = {
    "not_affected": VexStatus.NOT_AFFECTED, "fixed": VexStatus.FIXED, "affected": VexStatus.AFFECTED,
    "under_investigation": VexStatus.UNDER_INVESTIGATION,
    # As CycloneDX calls the states of an analysis.
    "false_positive": VexStatus.NOT_AFFECTED, "resolved": VexStatus.FIXED, "resolved_with_pedigree": VexStatus.FIXED,
    "exploitable": VexStatus.AFFECTED, "in_triage": VexStatus.UNDER_INVESTIGATION,
}  # fmt: skip


def _status(word: object) -> VexStatus:
    if not isinstance(word, str) or word not in _STATUS:
        raise ValueError(f"is none of {', '.join(_STATUS)}")
    return _STATUS[word]


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Status = Annotated[VexStatus, BeforeValidator(_status)]
#: A moment without a zone is one of UTC.
Moment = Annotated[datetime, AfterValidator(_utc)]


def joined(said: Iterable[str]) -> str:
    """Return what is said, in one line."""
    return ": ".join(filter(None, (" ".join(each.split()) for each in said)))
