"""Secrets that somebody wrote into the configuration: told, and kept out of everything that comes after."""

from __future__ import annotations

import re

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Entry, Node

#: Keys that hold a secret, and how to give it instead.
_KEYS = {
    "routing_key": "use `routing_key_file`, or set PAGERDUTY_ROUTING_KEY",
    "integration_key": "use `routing_key_file`, or set PAGERDUTY_ROUTING_KEY",
    "password": "use `password_file`, or set SMTP_URL_FILE",  # nosec B105  advice, no secret
    "smtp_password": "use `smtp.password_file`, or set SMTP_URL_FILE",  # nosec B105  advice, no secret
    "smtp_url": "set SMTP_URL or SMTP_URL_FILE",
    "secret": "name the file in the key that ends in `_file`",  # nosec B105  advice, no secret
    "token": "name the file in the key that ends in `_file`",  # nosec B105  advice, no secret
    "api_key": "name the file in the key that ends in `_file`",
    "webhook_url": "use `alerts.urls.NAME.url_file`",
}
_PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.ASCII | re.IGNORECASE)


def refuse_secrets(root: Node, report: Report) -> Node:
    """Return the tree without the secrets in it, each of them reported."""
    return _clean(root, report)


def _clean(node: Node, report: Report) -> Node:
    if node.is_map:
        kept: dict[str, Entry] = {}
        for key, entry in node.value.items():
            if key in _KEYS and isinstance(entry.node.value, str) and entry.node.text:
                _refuse(entry.node, _KEYS[key], report)
            elif not key.startswith("x-") and _has_password(entry.node):
                _refuse(entry.node, "use the key that ends in `_file`", report)
            else:
                kept[key] = Entry(entry.place, _clean(entry.node, report))
        return Node(node.place, kept, node.text, node.quoted, node.shadowed)
    if node.is_list:
        items = []
        for item in node.value:
            if _has_password(item):
                _refuse(item, "use a key that ends in `_file`", report)
            else:
                items.append(_clean(item, report))
        return Node(node.place, items, node.text, node.quoted, node.shadowed)
    return node


def _has_password(node: Node) -> bool:
    return isinstance(node.value, str) and bool(_PASSWORD_IN_URL.search(node.value))


def _refuse(node: Node, instead: str, report: Report) -> None:
    report.error("ZC401", "secret written in the config file", node, help=f"move it to a file with mode 0600 and {instead}")
