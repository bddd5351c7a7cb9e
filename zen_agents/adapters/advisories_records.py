"""Records of OSV in a directory or a zip archive, as mirrors keep them: nobody is asked, versions are judged here."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.errors import HostError
from zen_agents.packages.advisories.advisory import Advisory, MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Answer, Finding, Told, Unknown, nobody
from zen_agents.packages.advisories.matching import Verdict, judge
from zen_agents.packages.advisories.osv import MOST_RECORD_BYTES, advisory_of
from zen_agents.packages.package import Ecosystem, Package

_ENDING: Final = ".json"


class OsvRecords:
    """All records below a directory, or in an archive. An ecosystem that no record names was not asked about."""

    def __init__(self, path: Path, *, told: Told = nobody) -> None:
        self._path, self._name, self._told = path, str(path), told

    def ask(self, packages: Sequence[Package]) -> Answer:
        """See `AdvisorySource`."""
        by_name: dict[tuple[Ecosystem, str], list[Package]] = {}
        for package in packages:
            by_name.setdefault((package.ecosystem, package.name), []).append(package)
        findings: list[Finding] = []
        unknown: list[Unknown] = []
        ecosystems: set[Ecosystem] = set()
        malformed: list[str] = []
        try:
            for number, (place, content) in enumerate(self._records(), 1):
                self._told(f"reading records: {number}", 0, 0)
                try:
                    advisory = advisory_of(content)
                except MalformedAdvisoryError as error:
                    malformed.append(f"{place} {error}")
                    continue
                ecosystems |= {each.ecosystem for each in advisory.affected}
                named = dict.fromkeys((each.ecosystem, each.name) for each in advisory.affected)
                self._judge((package for name in named for package in by_name.get(name, ())), advisory, findings, unknown)
        except (OSError, HostError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            why = getattr(error, "strerror", None) or error
            unknown.append(Unknown(self._name, f"cannot be read: {why}"))
        if malformed:
            unknown.append(Unknown(self._name, f"files that are no records: {len(malformed)}; {malformed[0]}"))
        return Answer(self._name, frozenset(ecosystems), tuple(findings), tuple(unknown), self._as_of())

    def _judge(
        self, packages: Iterable[Package], advisory: Advisory, findings: list[Finding], unknown: list[Unknown]
    ) -> None:
        for package in packages:
            judgement = judge(package, advisory)
            if judgement.verdict is Verdict.UNDECIDED:
                unknown.append(Unknown(self._name, f"{advisory.id} {judgement.why}", package))
            elif judgement.verdict is Verdict.AFFECTED:
                findings.append(
                    Finding(
                        package, advisory.id, advisory.aliases, advisory.severity, judgement.fixed_in, advisory.summary,
                        self._name,
                    )
                )  # fmt: skip

    def _records(self) -> Iterator[tuple[str, bytes]]:
        """Yield where each record lies and what it holds; what is too large is cut off, and so no record."""
        if self._path.is_dir():
            for folder, _, names in os.walk(self._path, onerror=_raise):
                for name in sorted(names):
                    if name.endswith(_ENDING):
                        path = Path(folder, name)
                        read = read_regular_file(str(path.resolve()), limit=MOST_RECORD_BYTES)
                        yield str(path), read[0] if read else b""
            return
        with zipfile.ZipFile(self._path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(_ENDING):
                    with archive.open(entry) as record:
                        yield entry.filename, record.read(MOST_RECORD_BYTES)

    def _as_of(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except OSError:
            return None


def _raise(error: OSError) -> None:
    raise error
