"""Many rounds of one method, several at a time, with what each came to kept in a file: a run that is ended goes on there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from chaos.counts import Case, add, cases
from chaos.waiting import NotInTimeError


@dataclass(frozen=True, slots=True)
class Finding:
    """What one round came to."""

    round: str
    #: How often something was killed, cut or failed.
    count: int
    problems: tuple[str, ...] = ()
    #: Of which it had to do with something unfinished.
    unfinished: int = 0
    #: Every recovery that was waited for (seconds).
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One piece of a campaign, by a name that says it again: `go` gets an empty folder."""

    name: str
    go: Callable[[Path], Finding]


def in_rounds(
    count: int, seed: int, go: Callable[[str, int, int, Path], Finding], *, most: int
) -> list[Round]:  # fmt: skip
    """Return rounds of at most so many, `count` in all; `go` gets a round's name, its number, its size and a folder."""
    sizes = [min(most, count - done) for done in range(0, count, most)]
    return [_round(f"{seed}:{number}", number, size, go) for number, size in enumerate(sizes)]


def _round(name: str, number: int, size: int, go: Callable[[str, int, int, Path], Finding]) -> Round:
    return Round(name, lambda folder: go(name, number, size, folder))


@dataclass
class Campaign:
    """Runs rounds below a folder; those with a problem keep what they left there."""

    folder: Path
    #: By which its cases are known among those of other campaigns.
    name: str = "durability"
    at_once: int = 2
    #: Where findings are kept (`chaos.counts`); None keeps none.
    progress: Path | None = None
    findings: list[Finding] = field(default_factory=list)

    def run(self, rounds: Sequence[Round]) -> Iterator[Finding]:
        """Yield what each round came to, those of an earlier run first."""
        done = self._earlier()
        self.findings = [done[each.name] for each in rounds if each.name in done]
        yield from self.findings
        with ThreadPoolExecutor(self.at_once) as pool:
            going = [pool.submit(self._go, each) for each in rounds if each.name not in done]
            for future in as_completed(going):
                finding = future.result()
                self.findings.append(finding)
                self._keep(finding)
                yield finding

    def _go(self, round: Round) -> Finding:
        folder = self.folder / re.sub(r"[^\w.-]", "_", round.name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            finding = round.go(folder)
        except NotInTimeError as error:
            finding = Finding(round.name, 0, (str(error),))
        if not finding.problems:
            shutil.rmtree(folder, ignore_errors=True)
        return finding

    def _earlier(self) -> dict[str, Finding]:
        """Return what is done; a round with a problem is run again: perhaps it was mended."""
        kept = cases(self.progress, self.name) if self.progress is not None else {}
        return {name: _finding(case) for name, case in kept.items() if not case.problems}

    def _keep(self, finding: Finding) -> None:
        if self.progress is not None:
            more = {"unfinished": finding.unfinished, "seconds": finding.seconds}
            add(self.progress, Case(self.name, finding.round, finding.count, finding.problems, more))


def _finding(case: Case) -> Finding:
    unfinished, seconds = case.more["unfinished"], case.more["seconds"]
    assert isinstance(unfinished, int) and isinstance(seconds, list)  # noqa: S101 - as `_keep` wrote it
    return Finding(case.name, case.count, (), unfinished, tuple(seconds))
