"""How bad; the words of PagerDuty's Events v2."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """Severity of a rule and of what it finds, mildest first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position from 0 (info) to 3 (critical)."""
        return list(Severity).index(self)
