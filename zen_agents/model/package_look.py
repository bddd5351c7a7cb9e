"""What is asked about the packages of one place, and what is known of them: weaknesses, and what could be upgraded."""

from __future__ import annotations

from typing import NamedTuple

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PackageQuestion:
    """One place, who knows of weaknesses, and what policy says. An empty text leaves that part out."""

    #: `pypi`, `debian` or `npm`.
    ecosystem: str
    #: The directory of an environment or a project; `/` for the packages of the host.
    place: str
    #: Who is asked about weaknesses: addresses, directories or files.
    osv: tuple[str, ...] = ()
    tracker: str = ""
    #: Address or file of a catalogue of what is known to be exploited.
    exploited: str = ""
    #: Files of statements on what does not affect this place (VEX).
    vex: tuple[str, ...] = ()
    #: What is ignored, each (advisory, reason, until as YYYY-MM-DD, package or "").
    ignore: tuple[tuple[str, str, str, str], ...] = ()
    #: Address of a registry of npm that is asked about weaknesses besides.
    npm: str = ""
    #: Where answers are kept, and for how long they are not asked for again (seconds).
    cache_directory: str = ""
    max_age_seconds: float = 0.0
    #: Where Python packages come from: an index, or directories of wheels; neither: the usual index.
    index: str = ""
    wheels: tuple[str, ...] = ()
    #: Lists of what could be had of Debian packages that are older are fetched anew before (seconds); 0: never.
    refresh_after_seconds: float = 0.0
    #: `auto`, `notify` or `disabled`, and patterns of names that are never touched.
    security: str = "auto"
    minor: str = "notify"
    major: str = "disabled"
    hold: tuple[str, ...] = ()


class Weakness(NamedTuple):
    """A package with a known weakness."""

    package: str
    version: str
    advisory: str
    #: `low` .. `critical`, or `unknown`.
    rating: str
    #: True if it is known to be used by attackers.
    is_exploited: bool
    #: The least later version without it, "" if none is known.
    fixed_in: str
    summary: str


class Update(NamedTuple):
    """A version that could be had of an installed package."""

    package: str
    installed: str
    wanted: str
    #: Advisories that it ends, by id.
    fixes: tuple[str, ...]
    #: `security`, `minor` or `major`.
    kind: str
    #: What policy does of it: `do`, `ask`, `tell` or `leave`; and why, in words.
    stance: str
    why: str


class Yanked(NamedTuple):
    """An installed release that its authors have withdrawn since."""

    package: str
    version: str
    #: In their words, "" if they gave none. Untrusted text.
    reason: str


class PackageLook(NamedTuple):
    """What was found. With something untold the rest still holds; what is missing then is not known."""

    #: How many packages there are.
    packages: int = 0
    #: The worst first.
    weaknesses: tuple[Weakness, ...] = ()
    updates: tuple[Update, ...] = ()
    #: Weaknesses that somebody decided to live with, or that do not affect this place.
    ignored: int = 0
    #: What could not be told, each a sentence.
    untold: tuple[str, ...] = ()
    yanked: tuple[Yanked, ...] = ()
    #: Why it is not known what else was withdrawn, "" if it is.
    yanked_untold: str = ""
    #: What else is worth knowing, each a sentence: how old what was asked is.
    notes: tuple[str, ...] = ()

    @property
    def due(self) -> tuple[Update, ...]:
        """Return the updates that policy does unasked."""
        return tuple(each for each in self.updates if each.stance == "do")

    @property
    def asked(self) -> tuple[Update, ...]:
        """Return the updates that a person is asked about."""
        return tuple(each for each in self.updates if each.stance == "ask")

    @property
    def next_set(self) -> tuple[Update, ...]:
        """Return what is upgraded next, together: what is due; what a person is asked about keeps nobody waiting."""
        return self.due or self.asked
