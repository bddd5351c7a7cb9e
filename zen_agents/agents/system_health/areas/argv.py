"""Argument lists as areas take them: a program and its arguments, which no shell reads."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator

from zen_agents.model.plain_path import check_plain_path
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Line


def _names_a_program(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse an argument list without a program."""
    if not argv or not argv[0]:
        raise refuse("range", "names no program: [/path/to/program, argument, ...]")
    return argv


def _names_a_path(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a program that would be looked for."""
    if not argv:
        raise refuse("range", "names no program: [/usr/lib/nagios/plugins/check_disk, -w, 10%]")
    check_plain_path(argv[0])
    return argv


Argv = Annotated[tuple[Line, ...], AfterValidator(_names_a_program)]
#: The same of a program by its path.
PluginArgv = Annotated[tuple[Line, ...], AfterValidator(_names_a_path)]


def account_of(user: str | None) -> str:
    """Return the account a command is to run as; only root can change it, so others start it as themselves ("")."""
    return user or "" if os.geteuid() == 0 else ""


def refuse_unnamed_root(user: str | None) -> None:
    """Refuse a command of an engine that is root, if nobody says as whom it runs."""
    if user is None and os.geteuid() == 0:
        raise refuse("root", "needs `user:` because the engine runs as root; write `user: root` only if you mean it")
