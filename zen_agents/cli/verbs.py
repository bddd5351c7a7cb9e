"""The verbs of a family of commands, each in a module of its own that is loaded when its verb is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zen_agents.first_use import load

if TYPE_CHECKING:
    from zen_agents.cli.call import Call


def hand_on(call: Call, verbs: Mapping[str, str]) -> int:
    """Have what the call's verb names (`module:function`) do it; return its exit status."""
    done: int = load(verbs[call.arguments.verb])(call)
    return done
