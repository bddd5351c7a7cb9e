"""What a host looks like, and what has changed: nothing else may, whatever a repair does."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.host import REPOSITORY, DisposableHost
from chaos.workload import interpreter

_ALWAYS = ("/etc",)


@dataclass(frozen=True, slots=True)
class Change:
    """One subject that is not as it was; "" where it is absent."""

    #: `unit web.service`, `port tcp 8080`, `file /etc/hosts` or `package bash`.
    subject: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.before or 'absent'} -> {self.after or 'absent'}"


def fingerprint(host: DisposableHost, watched: Sequence[str] = ()) -> Mapping[str, str]:
    """Return subject -> state of units, listening ports, packages, and files below /etc and the watched directories."""
    program = str(REPOSITORY / "chaos" / "inside" / "fingerprint.py")
    subjects: dict[str, str] = json.loads(host.run([*interpreter(), program, *_ALWAYS, *watched], check=True).stdout)
    return subjects


def difference(before: Mapping[str, str], after: Mapping[str, str], *, allowed: Sequence[str] = ()) -> tuple[Change, ...]:
    """Return what differs, by subject; `allowed` are shell patterns of subjects that may (`file /srv/app/*`)."""
    return tuple(
        Change(subject, before.get(subject, ""), after.get(subject, ""))
        for subject in sorted({*before, *after})
        if before.get(subject) != after.get(subject)
        and not any(fnmatch.fnmatchcase(subject, pattern) for pattern in allowed)
    )
