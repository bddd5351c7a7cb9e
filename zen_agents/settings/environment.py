"""The environment variables that win over the file; what is wrong with them, and near misses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from zen_agents import catalog
from zen_agents.alerts.policy import smtp_from_url
from zen_agents.model.plain_path import check_absolute_path
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nearest import nearest
from zen_agents.settings.nodes import Document, Node, Origin, put

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_MODES = ("observe", "approve", "enforce")
#: Read, but by nobody in this package's files alone: where things are, and what is secret.
_ELSEWHERE = (
    "ZEN_AGENTS_CONFIG", "ZEN_AGENTS_STATE_DIR", "PAGERDUTY_ROUTING_KEY", "SMTP_URL", "NO_COLOR",
)  # fmt: skip
_PREFIXES = ("AGENT_", "ALERT_", "ZEN_AGENTS_", "MAX_AUTO_", "PAGERDUTY_", "SMTP_URL")


class _RefusedError(Exception):
    """The value cannot be used: message, and what was probably meant."""

    def __init__(self, message: str, meant: str = "") -> None:
        super().__init__(message)
        self.message, self.meant = message, meant


def variables() -> dict[str, str]:
    """Return every variable that sets a key, with the dotted path that it sets."""
    found = {f"AGENT_{name.upper()}_ENABLED": f"agents.{name}.enabled" for name in catalog.AGENTS}
    return found | {name: path for name, (path, _) in _KEYS.items()}


def apply(root: Node, environ: Mapping[str, str], report: Report) -> Node:
    """Return the tree with the environment laid over it; a value that cannot be used is an error and sets nothing."""
    for name, path in variables().items():
        if (text := environ.get(name)) is None:
            continue
        document = Document(f"env {name}", Origin.ENVIRONMENT)
        try:
            value = _KEYS[name][1](text) if name in _KEYS else _boolean(text)
        except _RefusedError as error:
            label = f'did you mean "{error.meant}"?' if error.meant else ""
            report.error("ZC601", error.message, document, label=label)
            continue
        if name == "ALERT_EMAIL" and not value:
            report.warning("ZC503", "is empty: email is off, whatever the file says", document)
        if name == "ZEN_AGENTS_MODE" and not safer(root, str(value), document, report):
            continue
        root = put(root, path.split("."), value, document)
    _check_smtp(environ, report)
    _near_misses(environ, report)
    return root


def safer(root: Node, mode: str, document: Document, report: Report) -> bool:
    """Tell whether a mode from outside the file is not looser than the file's; if it is, that is an error."""
    node = root.get("mode")
    written = node.text if node and node.text in _MODES else "enforce"
    if _MODES.index(mode) <= _MODES.index(written):
        return True
    place = f" ({node.place})" if node else ""
    report.error(
        "ZC604", f'"{mode}" is looser than `mode: {written}`{place}; from outside it can only be made safer', document
    )
    return False


def _boolean(text: str) -> bool:
    lower = text.strip().lower()
    if lower in _TRUE:
        return True
    if lower in _FALSE:
        return False
    raise _RefusedError(f'"{_shown(text)}" is not a boolean', nearest(lower, ("true", "false", "yes", "no", "on", "off")))


def _addresses(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    for address in found:
        if not _EMAIL.fullmatch(address):
            raise _RefusedError(f'"{_shown(address)}" is not an email address')
    return found


def _count(text: str) -> int:
    stripped = text.strip()
    if not re.fullmatch(r"[0-9]{1,6}", stripped, re.ASCII):
        raise _RefusedError(f'"{_shown(text)}" is not a whole number from 0 (never act) to 999999')
    return int(stripped)


def _path(text: str) -> str:
    try:
        return check_absolute_path(text)
    except ValueError as error:
        raise _RefusedError(f'"{_shown(text)}" {error}') from None


def _mode(text: str) -> str:
    lower = text.strip().lower()
    if lower not in _MODES:
        raise _RefusedError(f'"{_shown(text)}" is not one of {", ".join(_MODES)}', nearest(lower, _MODES))
    return lower


_KEYS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "ALERT_EMAIL": ("alerts.email.to", _addresses),
    "ALERT_PAGERDUTY_ENABLED": ("alerts.pagerduty.enabled", _boolean),
    "MAX_AUTO_REPAIRS_PER_HOUR": ("limits.max_auto_repairs_per_hour", _count),
    "PAGERDUTY_ROUTING_KEY_FILE": ("alerts.pagerduty.routing_key_file", _path),
    "SMTP_URL_FILE": ("alerts.email.smtp.url_file", _path),
    "ZEN_AGENTS_MODE": ("mode", _mode),
}


def _check_smtp(environ: Mapping[str, str], report: Report) -> None:
    if not (url := environ.get("SMTP_URL")):
        return
    try:
        smtp_from_url(url)
    except ValueError as error:  # its sentence does not repeat the URL, which may hold a password
        report.error("ZC601", f'"..." cannot be used: {error}', Document("env SMTP_URL", Origin.ENVIRONMENT))


def _near_misses(environ: Mapping[str, str], report: Report) -> None:
    known = {*variables(), *_ELSEWHERE}
    for name in sorted(environ):
        if name in known or not name.startswith(_PREFIXES):
            continue
        meant = nearest(name, (each.lower() for each in known)).upper()
        if meant and _alike(name, meant):
            report.warning("ZC603", "is not read by anything", Document(f"env {name}"), label=f"did you mean {meant}?")
        elif re.fullmatch(r"AGENT_[A-Z0-9_]+_ENABLED", name):
            report.warning("ZC603", "is not read by anything: there is no such agent", Document(f"env {name}"))


def _alike(name: str, meant: str) -> bool:
    """Tell whether it is one slip of the fingers, not another program's variable."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - only for those who made a mistake

    return SequenceMatcher(None, name, meant).ratio() >= 0.85


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:60])
