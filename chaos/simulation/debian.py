"""The Debian packages of a simulated host: what is installed, what could be, and how an upgrade goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from zen_agents.model.debian_upgrade import DebianCandidate, DebianChange, DebianLook, DebianQuestion, DebianTried, TrialStep
from zen_agents.ports.host_commands import Command, CommandResult


@dataclass(slots=True)
class SimulatedDebian:
    """Packages of which nothing depends on another; without any, no dpkg is there."""

    installed: dict[str, str] = field(default_factory=dict)
    #: Versions that can be had, the earliest first.
    offered: dict[str, list[str]] = field(default_factory=dict)
    #: What comes along with an upgrade of a package, what it takes away, and which units it ships.
    brings: dict[str, str] = field(default_factory=dict)
    removes: dict[str, str] = field(default_factory=dict)
    ships: dict[str, str] = field(default_factory=dict)
    marked_auto: set[str] = field(default_factory=set)
    #: Whose present version cannot be had any more.
    without_way_back: set[str] = field(default_factory=set)
    #: Versions, each `NAME=VERSION`, that fail: in the copy of the root, or in earnest only.
    fails_tried: set[str] = field(default_factory=set)
    fails: set[str] = field(default_factory=set)
    refused: str = ""
    interrupted: str = ""
    is_unattended: bool = False
    problems: tuple[str, ...] = ()
    untried: str = ""
    #: What is kept, by its id in the quarantine.
    kept: dict[str, tuple[str, str]] = field(default_factory=dict)

    def look(self, asked: DebianQuestion) -> DebianLook:
        """Return what there is, or what an upgrade would do."""
        if not self.installed:
            return DebianLook(problems=("no dpkg is here",))
        wanted = dict(each.split("=", 1) for each in asked.wanted)
        unknown = [
            name
            for name, version in wanted.items()
            if version not in (*self.offered.get(name, ()), self.installed.get(name))
        ]
        changes = [
            self._change(name, version) for name, version in wanted.items() if self.installed.get(name, version) != version
        ]
        names = [each.name for each in changes]
        return DebianLook(
            candidates=() if wanted else tuple(self._candidates()),
            changes=tuple(changes),
            adds=tuple(self.brings[name] for name in names if name in self.brings and self._is_new(self.brings[name])),
            removes=tuple(self.removes[name] for name in names if self.removes.get(name) in self.installed),
            ships=tuple(self.ships[name] for name in names if name in self.ships),
            refused=self.refused or (f"Version for {unknown[0]} was not found" if unknown else ""),
            interrupted=self.interrupted,
            is_unattended=self.is_unattended,
            problems=self.problems,
        )

    def tried(self, installs: tuple[str, ...]) -> DebianTried:
        """Return how it goes in a copy of the root."""
        if self.untried:
            return DebianTried(untried=self.untried)
        bad = next((each for each in installs if each in self.fails_tried), "")
        step = TrialStep("apt-get install", 100 if bad else 0, bad, 1.0)
        return DebianTried((step,), failed=f"the packages could not be installed: {bad}" if bad else "")

    def run(self, command: Command) -> CommandResult:
        """Do what apt-get, apt-mark or dpkg is told to."""
        words = [each for each in command.argv[1:] if not each.startswith("-") and "::" not in each]
        if command.argv[0] == "apt-mark":
            self.marked_auto |= set(words[1:])
        elif command.argv[0] == "dpkg":
            for name in words:
                self.installed.pop(name, None)
        else:
            return self._install([each for each in words if "=" in each])
        return CommandResult(0, "", False, 1.0)

    def install_kept(self, ids: tuple[str, ...]) -> CommandResult:
        """Install what is kept."""
        self.installed |= dict(self.kept[id] for id in ids)
        self.interrupted = ""
        return CommandResult(0, "", False, 1.0)

    def _install(self, wanted: list[str]) -> CommandResult:
        for each in wanted:
            name, _, version = each.partition("=")
            self.installed[name] = version
            self.marked_auto.discard(name)
            if each in self.fails:
                self.interrupted = f"{name} is only half configured"
                return CommandResult(100, f"E: {name} failed", False, 1.0)
            self.installed.pop(self.removes.get(name, ""), None)
        return CommandResult(0, "", False, 1.0)

    def _change(self, name: str, version: str) -> DebianChange:
        way_back = "" if name in self.without_way_back else "archive"
        return DebianChange(name, self.installed[name], version, "all", name, name in self.marked_auto, way_back)

    def _candidates(self) -> list[DebianCandidate]:
        later = {
            name: [each for each in self.offered.get(name, ()) if each > version] for name, version in self.installed.items()
        }
        return [
            DebianCandidate(name, self.installed[name], each[-1], tuple(each), False) for name, each in later.items() if each
        ]

    def _is_new(self, added: str) -> bool:
        return added.partition(" ")[0] not in self.installed
