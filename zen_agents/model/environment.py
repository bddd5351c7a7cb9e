"""A Python environment that is to be upgraded: where it is, what it should hold, and how a trial of that went."""

from __future__ import annotations

from zen_agents.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, and by what it is upgraded."""

    #: Its real absolute path.
    venv: str
    #: Account that everything of it runs as; "" for the engine's own, which may not be root (R29).
    user: str = ""
    #: Directories of wheels that packages come from.
    wheels: tuple[str, ...] = ()
    #: Address of an index; "" for the usual one, or for none where there are wheels.
    index: str = ""
    #: File that pins what is installed, with hashes where it has them, of requirements or `uv.lock`; "" for none.
    requirements: str = ""

    @property
    def is_offline(self) -> bool:
        """True if all that it is upgraded from is at hand: then no network is used."""
        return bool(self.wheels) and not self.index

    @property
    def is_locked_by_uv(self) -> bool:
        """True if what pins it is a lock of uv, which uv alone writes."""
        return self.requirements.endswith("/uv.lock")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A package that is to be at least at a version."""

    name: str
    #: The lowest version that will do.
    least: str
    #: Advisories that it ends, by id.
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pin:
    """Exactly one version of a package, by the hashes of its wheels."""

    name: str
    version: str
    #: `sha256:HEX` of each wheel that may be taken.
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One version of a package in the place of another; "" where there was none, or will be none."""

    name: str
    installed: str
    wanted: str
    #: How far it goes: `security`, `minor` or `major`; "" where there is no version on one side.
    kind: str = ""
    #: Advisories that it ends, by id.
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of a text that become others."""

    #: From this line to before the other one, counted from 0.
    first: int
    behind: int
    #: What stands there then.
    text: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What the file would become that pins what an environment holds."""

    #: SHA-256 of what it holds now, and would hold; hex.
    before: str
    after: str
    #: In the order of the lines.
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an environment would become."""

    steps: tuple[Step, ...] = ()
    pins: tuple[Pin, ...] = ()
    #: What it holds now, as `NAME==VERSION` lines.
    freeze: str = ""
    #: Why there is no such upgrade, in the resolver's own words; "" if there is one. Untrusted text.
    conflict: str = ""
    #: What the file that pins it would become; None where it pins none of what changes.
    rewrite: Rewrite | None = None
    #: Why that file could not be made to say so, in words; "" if it could. Untrusted text.
    unwritten: str = ""


@dataclass(frozen=True, slots=True)
class TrialStep:
    """One thing that a trial did."""

    #: `compare`, `remove`, `install`, `dependencies`, `imports`, `smoke`.
    name: str
    argv: tuple[str, ...]
    #: Negative for a signal.
    exit_code: int
    seconds: float
    #: Bounded tail of what it said. Untrusted text.
    output: str = ""
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """True if it did what it should."""
        return self.exit_code == 0 and not self.timed_out

    @property
    def end(self) -> str:
        """How it ended, in words."""
        return "did not end in time" if self.timed_out else f"exit {self.exit_code}"


@dataclass(frozen=True, slots=True)
class TrialReport:
    """What a trial did, and what the environment was before and in it."""

    steps: tuple[TrialStep, ...]
    freeze_before: str = ""
    freeze_after: str = ""
    #: Modules that could not be imported before either.
    broken_before: tuple[str, ...] = ()

    @property
    def failed(self) -> TrialStep | None:
        """The step that failed, after which no other was taken; None if all went well."""
        return next((step for step in self.steps if not step.ok), None)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: these pins in the place of what is there."""

    environment: Environment
    #: What it held when this was planned, as `NAME==VERSION` lines; with anything else nothing is tried.
    freeze: str
    pins: tuple[Pin, ...]
    #: Packages that are taken away.
    removes: tuple[str, ...] = ()
    #: The project's own test, an argument list; () for none.
    smoke: tuple[str, ...] = ()
    smoke_seconds: float = 60.0
    #: Address space of each process of the trial, in bytes.
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True)
class Switched:
    """An environment that took the place of another, which is kept."""

    #: Under which the one before is kept.
    kept: str
    #: `device:inode` of what is there now, and of what was there.
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Holding:
    """Which directory an environment is, and what it holds."""

    #: `device:inode`.
    identity: str
    #: `NAME==VERSION` lines, by name.
    freeze: str
    #: Where it really is if its path leads through a link, "" if it does not.
    leads_to: str = ""
