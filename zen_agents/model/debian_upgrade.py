"""Debian packages as they are looked at before an upgrade, and what an upgrade of some of them would do."""

from __future__ import annotations

from typing import NamedTuple

from zen_agents.dataclass import dataclass

#: The environment in which apt and dpkg ask nobody anything, and needrestart's and apt-listchanges' own hooks keep quiet.
UNASKED = (
    ("DEBIAN_FRONTEND", "noninteractive"), ("APT_LISTCHANGES_FRONTEND", "none"), ("NEEDRESTART_SUSPEND", "1"),
    ("UCF_FORCE_CONFFOLD", "1"), ("LC_ALL", "C.UTF-8"),
)  # fmt: skip


class DebianCandidate(NamedTuple):
    """One installed package of which a later version can be had."""

    #: As apt writes it: with `:i386` behind it where it is not of the host's own architecture.
    name: str
    installed: str
    #: What apt itself would choose; the installed one where a pin keeps it.
    candidate: str
    #: What could be installed instead, the earliest first.
    later: tuple[str, ...]
    #: A person said `apt-mark hold`.
    is_held: bool


class DebianChange(NamedTuple):
    """One installed package that would get another version."""

    name: str
    installed: str
    wanted: str
    architecture: str
    #: What it was built from; what was built from one source is upgraded together.
    source: str
    #: Installed only because others need it, which an upgrade must not change.
    is_auto: bool
    #: Where the present .deb can be had for the way back: a path, `archive`, `repack`, or "" for nowhere.
    way_back: str


@dataclass(frozen=True, slots=True)
class DebianQuestion:
    """What is to be looked at: without `wanted` all that could be upgraded, else what upgrading to these would do."""

    #: Each `NAME=VERSION`.
    wanted: tuple[str, ...] = ()
    #: Package lists that are older are fetched anew before (seconds); 0: they are taken as they are.
    refresh_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DebianLook:
    """What was found; nothing but the problems can be relied on where there are any."""

    candidates: tuple[DebianCandidate, ...] = ()
    changes: tuple[DebianChange, ...] = ()
    #: What would be installed besides, as `NAME VERSION`, and what would be removed, by name.
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    #: What would change and is released step by step: `NAME: 10 %`.
    phased: tuple[str, ...] = ()
    #: Units whose files belong to what would change or go.
    ships: tuple[str, ...] = ()
    #: Units that run with files of what would change, so that only a restart ends the old version.
    restarts: tuple[str, ...] = ()
    #: Why apt would not do it, in its words; "" if it would.
    refused: str = ""
    #: What was begun and not finished, in dpkg's words; "" if nothing was.
    interrupted: str = ""
    #: Whether unattended-upgrades looks after this host.
    is_unattended: bool = False
    #: Why something could not be told: package lists that are missing or could not be fetched.
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DebianTrial:
    """An upgrade that is to be tried in a copy of the root that is never kept."""

    #: Each `NAME=VERSION`, as the simulated run said.
    installs: tuple[str, ...]
    may_remove: bool = False
    #: Programs that run with files of these packages, whose libraries have to be there afterwards, too.
    programs: tuple[str, ...] = ()
    #: What is run in the copy afterwards, and as whom; () for nothing.
    smoke: tuple[str, ...] = ()
    user: str = ""
    #: How much may be written in the copy, which is kept in memory.
    most_bytes: int = 1 << 30
    within_seconds: float = 600.0


class TrialStep(NamedTuple):
    """One thing that was run in a trial."""

    words: str
    exit_code: int
    #: The end of what it said. Untrusted text.
    said: str
    seconds: float


class DebianTried(NamedTuple):
    """How a trial went."""

    steps: tuple[TrialStep, ...] = ()
    #: What went wrong in it, in words; "" if nothing did.
    failed: str = ""
    #: Why no copy of the root could be made here; "" if one was.
    untried: str = ""
