"""A registry of npm, as far as `npm audit` asks one: advisories in bulk, and which versions of a package there are."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.http_server import Reply, serving

BULK = "/-/npm/v1/security/advisories/bulk"


def advisory(number: int, range: str, *, ghsa: str = "", **more: Any) -> dict[str, Any]:
    """Return an advisory as the registry answers it."""
    url = f"https://github.com/advisories/{ghsa or f'GHSA-{number:04d}-aaaa-bbbb'}"
    cvss = {"score": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
    body = {"id": number, "url": url, "title": f"hole {number}", "severity": "critical", "vulnerable_versions": range}
    return {**body, "cwe": ["CWE-79"], "cvss": cvss, **more}


class NpmRegistry:
    """What it knows, how it misbehaves, and what it was asked."""

    def __init__(self) -> None:
        self.advisories: dict[str, Sequence[Mapping[str, Any]]] = {}
        #: Name -> every version that there is.
        self.versions: dict[str, Sequence[str]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.instead: Reply | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.url = ""

    def answer(self, path: str, body: Any) -> Reply:
        """Return what is answered to a path."""
        self.asked.append((path, body))
        if self.instead is not None:
            return self.instead
        if path == BULK:
            # As the real one: what is known of a name, whichever of its versions were named.
            return Reply(200, json.dumps({name: self.advisories[name] for name in body if name in self.advisories}).encode())
        name = path.strip("/").replace("%2f", "/")
        if name not in self.versions:
            return Reply(404, b'{"error": "Not found"}')
        versions = {
            version: {"name": name, "version": version, "dist": {"tarball": f"{self.url}/{name}.tgz", "shasum": "0" * 40}}
            for version in self.versions[name]
        }
        tags = {"latest": self.versions[name][-1]}
        return Reply(200, json.dumps({"name": name, "versions": versions, "dist-tags": tags}).encode())


@contextmanager
def npm_registry() -> Iterator[NpmRegistry]:
    """Run one on a free port of this host."""
    known = NpmRegistry()
    with serving(known.answer, gate=known.answers) as known.url:
        yield known
