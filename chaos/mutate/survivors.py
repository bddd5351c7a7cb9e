"""The mutants of a run, read from what mutmut left: how each ended, and what it changed."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

REPOSITORY = Path(__file__).resolve().parents[2]
#: A mutant whose tests never end is noticed as well as one that fails them.
_KILLED = frozenset({"killed", "timeout", "caught by type check", "segfault"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant and its fate."""

    #: mutmut's name, with a number: `zen_agents.rules.decide.x__verifying__mutmut_7`.
    name: str
    #: `zen_agents.rules.decide`.
    module: str
    #: mutmut's word: killed, survived, no tests, timeout, not checked ...
    status: str

    @property
    def killed(self) -> bool:
        """Whether the tests noticed it."""
        return self.status in _KILLED

    @property
    def function(self) -> str:
        """The function it is in, without the number, which another change of the code gives to another mutant."""
        return self.name.rpartition("__mutmut_")[0]


def mutants(directory: Path = REPOSITORY / "mutants") -> Iterator[Mutant]:
    """Yield every mutant of the last run, by module."""
    for file in sorted(directory.glob("zen_agents/**/*.py.meta")):
        module = ".".join(file.relative_to(directory).with_suffix("").with_suffix("").parts)
        found = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        yield from (Mutant(name, module, status_by_exit_code[code]) for name, code in found.items())


def forget_half_made(directory: Path = REPOSITORY / "mutants", wanted: Sequence[str] | None = None) -> None:
    """Remove the modules whose mutants are not made although their files are there: mutmut would take these for made.

    A run was ended while it made them, or they were copied before they came onto the list (`wanted`: mutmut's own).
    """
    for meta in directory.glob("zen_agents/**/*.py.meta"):
        module = meta.with_suffix("")
        if module.is_file() and not module.stat().st_size:
            module.unlink()
    for pattern in _mutated() if wanted is None else wanted:
        for module in directory.glob(pattern):
            if not module.with_name(f"{module.name}.meta").exists():
                module.unlink()
                # Which tests reach it is only seen where it was made.
                (directory / "mutmut-stats.json").unlink(missing_ok=True)


def _mutated() -> Sequence[str]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    patterns: list[str] = settings["tool"]["mutmut"]["only_mutate"]
    return patterns


def change(mutant: Mutant) -> str:
    """Return what a mutant changes: the lines that go as `- old`, those that come as `+ new`; "" if it is not made now."""
    # mutmut knows its files by their place below the working directory.
    with contextlib.chdir(REPOSITORY), contextlib.suppress(FileNotFoundError):
        shown = get_diff_for_mutant(mutant.name, path=f"{mutant.module.replace('.', '/')}.py")
        lines = [each for each in shown.splitlines() if each.startswith(("-", "+")) and not each.startswith(("---", "+++"))]
        return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)
    return ""
