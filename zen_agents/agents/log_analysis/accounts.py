"""`accounts:` accounts and keys that were not there before."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import Field

from zen_agents.model.scalars import PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

#: Name of the source that its lines are of, and of its rules, each with what is told.
SOURCE: Final = "accounts"
RULES: Final = {
    "new_user": "there is an account that was not there before",
    "new_key": "there is a key that may log in, which was not there before",
}


class AccountSettings(Section):
    """Accounts in /etc/passwd and keys in `authorized_keys`. People are told; nothing is done."""

    every: PositiveDuration = Field(
        timedelta(minutes=1), description="how often files of keys are looked at; a new account is seen at once"
    )
    tell_for: PositiveDuration = Field(timedelta(hours=1), description="for so long a new account or key is told")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
