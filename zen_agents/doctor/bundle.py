"""One file for whoever is asked about it: what is configured, what is, what happened last, and no secret.

Names of environment variables are in it, their values never.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.metadata
import io
import json
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from zen_agents import __version__
from zen_agents.adapters.durable_file import replace_durably
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.doctor.examination import Finding, Site
from zen_agents.doctor.redaction import Redaction
from zen_agents.doctor.surroundings import secret_files
from zen_agents.errors import SettingsError, UsageError, ZenError
from zen_agents.model.entry import EntryKind
from zen_agents.model.redaction import shown
from zen_agents.settings.loader import effective_values
from zen_agents.settings.rendering import as_json
from zen_agents.settings.show import Shown, to_yaml
from zen_agents.settings.trust import read_secret

Row = TypeVar("Row")

_DECISIONS, _EVENTS, _ACTIONS, _INCIDENTS = 200, 500, 100, 100
#: The end of a log that is packed (bytes), and how long the journal may take (seconds).
_LOG_BYTES = 256 * 1024
_JOURNAL_SECONDS = 10.0
_LIBRARIES = (
    "apscheduler", "psutil", "pydantic", "pyyaml", "tenacity", "pybreaker", "pynacl", "orjson",
    "sqlmodel", "alembic", "apprise",
)  # fmt: skip
#: Variables that are the engine's; of others not even the name is anybody's business.
_PREFIXES = ("AGENT_", "ALERT_", "ZEN_AGENTS_", "MAX_AUTO_", "PAGERDUTY_", "SMTP_")
#: Variables whose value is a secret.
_SECRET_VARIABLES = ("PAGERDUTY_ROUTING_KEY", "SMTP_URL")

#: A file of a secret, as a configuration names it.
_NAMED_FILE = re.compile(r"_file['\"]?\s*:\s*['\"]?(/[^\s'\",}]+)")


def write_bundle(path: Path, site: Site, findings: Mapping[str, Finding]) -> list[str]:
    """Write a tar.gz that only its owner can read, whole or not at all; return the names of the files in it.

    Raises UsageError if there is such a file already, OSError if it cannot be written.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already; name another file")
    settings = site.loaded.settings if site.loaded is not None else None
    redaction = Redaction(_known_secrets(site), settings.redact if settings is not None else ())
    parts = dict(_parts(site, findings, redaction))
    replace_durably(path, _packed(parts))
    return list(parts)


def _packed(parts: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as compressed, tarfile.open(fileobj=compressed, mode="w") as archive:
        for name, text in parts.items():
            content = text.encode("utf-8", "backslashreplace")
            member = tarfile.TarInfo(f"zen-agents/{name}")
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _known_secrets(site: Site) -> Iterator[str]:
    """Yield every secret that the configuration or the environment names and that can be read."""
    yield from (site.environ[name] for name in _SECRET_VARIABLES if site.environ.get(name))
    files = _secret_files(site)
    files += [value for name, value in site.environ.items() if name.startswith(_PREFIXES) and name.endswith("_FILE")]
    for file in files:
        try:
            yield read_secret(file)
        except (SettingsError, UnicodeDecodeError, OSError):
            continue  # what cannot be read by whoever packs cannot be in what they can read either


def _secret_files(site: Site) -> list[str]:
    """Return the files of secrets that the configuration names, also if it is not valid."""
    if site.loaded is None:
        return []
    if site.loaded.settings is not None:
        return list(secret_files(effective_values(site.loaded.settings)))
    texts = [Path(file).read_text(encoding="utf-8", errors="replace") for file in site.loaded.files if Path(file).is_file()]
    return [path for text in texts for path in _NAMED_FILE.findall(text)]


def _parts(site: Site, findings: Mapping[str, Finding], redaction: Redaction) -> Iterator[tuple[str, str]]:
    """Yield the files; one that cannot be had says why instead."""
    sources: dict[str, Callable[[], Any]] = {
        "doctor.json": lambda: {name: _plain(finding) for name, finding in findings.items()},
        "versions.json": lambda: _versions(site),
        "environment.json": lambda: sorted(name for name in site.environ if name.startswith(_PREFIXES)),
        "config.yaml": lambda: _config(site, redaction),
        "status.json": lambda: site.status or {"health": "not running"},
        "decisions.json": lambda: _entries(site, _DECISIONS, EntryKind.DECISION),
        "events.json": lambda: _entries(site, _EVENTS),
        "actions.json": lambda: _actions(site),
        "incidents.json": lambda: _incidents(site),
        "actions.log": lambda: _tail(site.state_dir / "actions.log"),
        "journal.log": _journal,
    }
    for name, source in sources.items():
        try:
            body = source()
        except (OSError, ZenError, subprocess.SubprocessError) as error:
            body = f"not to be had: {' '.join(str(error).split())}\n"
        if isinstance(body, str):
            yield name, redaction.text(body)
        else:
            yield name, json.dumps(redaction.value(json.loads(json.dumps(body, default=str))), indent=2) + "\n"


def _plain(finding: Finding) -> dict[str, str]:
    return {"state": finding.state.value, "text": finding.text, "fix": finding.fix}


def _versions(site: Site) -> dict[str, Any]:
    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            libraries[name] = "missing"
    system = platform.uname()
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        distribution = "unknown"
    return {
        "zen_agents": __version__, "python": platform.python_version(), "kernel": f"{system.system} {system.release}",
        "machine": system.machine, "distribution": distribution, "libraries": libraries, "euid": os.geteuid(),
        "systemd": site.path("/run/systemd/system").is_dir(),
    }  # fmt: skip


def _config(site: Site, redaction: Redaction) -> Any:
    """Return the configuration in force, or what is wrong with it; never the files as they were written."""
    if site.loaded is None:
        return "# no configuration was found\n"
    if site.loaded.settings is None:
        return [as_json(diagnostic) for diagnostic in site.loaded.diagnostics]
    clean: Mapping[str, Any] = redaction.value(effective_values(site.loaded.settings))
    return f"# {', '.join(site.loaded.files)}\n{to_yaml(Shown(clean, {}))}"


def _read(site: Site, rows: Callable[[SqliteStore], Sequence[Row]]) -> Sequence[Row]:
    """Return what is asked of the state, and let go of it."""
    with contextlib.closing(SqliteStore.open_read_only(site.state_dir / "state.db")) as store:
        return rows(store)


def _entries(site: Site, most: int, *kinds: EntryKind) -> list[dict[str, Any]]:
    return [
        {"record": row.seq, "kind": row.entry.kind.value, "id": row.entry.id, "at": row.entry.at.wall.isoformat(),
         "incident": row.entry.incident, "action": row.entry.action, "body": dict(row.entry.body)}
        for row in _read(site, lambda store: store.entries(kinds=kinds, limit=most, newest_first=True))
    ]  # fmt: skip


def _actions(site: Site) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "action": row.action, "target": row.target, "rule": row.rule, "outcome": row.kind.value,
         "at": row.reserved_at.wall.isoformat(), "took_seconds": row.took_seconds, "because": row.because,
         "plan": shown(row.plan), "effect": shown(row.effect)}
        for row in _read(site, lambda store: store.actions(limit=_ACTIONS))
    ]  # fmt: skip


def _incidents(site: Site) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "rule": row.rule, "target": row.target, "state": row.state.value, "detail": row.detail,
         "began_at": row.began_at.wall.isoformat(), "severity": row.severity.value}
        for row in _read(site, lambda store: store.incidents(limit=_INCIDENTS))
    ]  # fmt: skip


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LOG_BYTES))
        text = file.read(_LOG_BYTES).decode("utf-8", "replace")
    # What stands before the first break is half a line, and half a secret is not recognised.
    return text if size <= _LOG_BYTES else text.partition("\n")[2]


def _journal() -> str:
    """Return the end of the engine's own log; its lines only, nobody else's."""
    words = ["journalctl", "-u", "zen-agents.service", "-n", "500", "--no-pager", "-q", "-o", "cat"]
    done = subprocess.run(words, capture_output=True, timeout=_JOURNAL_SECONDS, check=False, stdin=subprocess.DEVNULL)
    return done.stdout[-_LOG_BYTES:].decode("utf-8", "replace") or "the journal has nothing of it\n"
