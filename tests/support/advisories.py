"""Packages, records of OSV and feeds of debsecan, as tests need them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from zen_agents.packages.package import Ecosystem, Package, package

WHERE = "/srv/app/.venv"


def pypi(name: str, version: str, where: str = WHERE) -> Package:
    """Return a package of Python."""
    return package(Ecosystem.PYPI, name, version, where)


def debian(name: str, version: str, source: str = "", source_version: str = "") -> Package:
    """Return a package of Debian, by default its own source."""
    return Package(Ecosystem.DEBIAN, name, version, "/", source or name, source_version or version)


def record(id: str, name: str = "jinja2", *ranges: Sequence[dict[str, str]], ecosystem: str = "PyPI", **more: Any) -> bytes:
    """Return a record of OSV that names one package with these ranges of events; `versions` and other keys as given."""
    affected: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    if ranges:
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": list(events)} for events in ranges]
    affected |= {key: more.pop(key) for key in ("versions",) if key in more}
    body = {"schema_version": "1.6.0", "id": id, "modified": "2026-01-07T00:00:00Z", "affected": [affected], **more}
    return json.dumps(body).encode()


def feed(entries: Sequence[str], names: Sequence[str] = ("CVE-2026-1,,a hole",)) -> bytes:
    """Return a feed of debsecan."""
    return zlib.compress("\n".join(["VERSION 1", *names, "", *entries, "", "src,src", "", ""]).encode())


def catalogue(*names: str) -> bytes:
    """Return a catalogue of weaknesses that are known to be exploited, as CISA publishes it."""
    entries = [
        {
            "cveID": name, "vendorProject": "x", "product": "y", "vulnerabilityName": "z", "dateAdded": "2026-01-02",
            "shortDescription": "s", "requiredAction": "r", "dueDate": "2026-01-23", "knownRansomwareCampaignUse": "Known",
            "notes": "", "cwes": ["CWE-79"],
        }
        for name in names
    ]  # fmt: skip
    head = {"title": "t", "catalogVersion": "2026.01.06", "dateReleased": "2026-01-06T15:00:00.1234Z"}
    return json.dumps({**head, "count": len(entries), "vulnerabilities": entries}).encode()
