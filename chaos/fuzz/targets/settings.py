"""A whole configuration: settings or errors, each explained and shown in every form."""

from __future__ import annotations

from chaos.fuzz.given import folder, put
from chaos.fuzz.promise import promise
from zen_agents.settings.codes import CODES
from zen_agents.settings.loader import load
from zen_agents.settings.rendering import FORMATS, render

SEEDS = (
    b"version: 1\nmode: approve\nagents:\n  system_health:\n    services:\n      web: {unit: web.service}\n",
    b'agents:\n  system_health:\n    rules: {high: {when: "avg(load1, 5m) > cpus * 2", for: 5m, target: host}}\n',
    b"actions:\n  default: deny\n  allow: {restart_service: {units: [web.service], cooldown: 10m, approval: auto}}\n",
    b'maintenance: [{name: n, start: "01:30", duration: 1h, timezone: Europe/Berlin, effect: no_actions}]\n',
    b"alerts: {email: {to: [ops@example.com]}, routes: [{match: {severity: critical}, to: [email]}]}\nlimits: {}\n",
    b"agents:\n  system_health:\n    logs: {a: {path: /var/log/*.log, rotate_at: 5MiB}}\n    temp_dirs: {t: {path: /t}}\n",
)
WORDS = (
    b"services: ",
    b"unit: ",
    b"command: ",
    b"start: ",
    b"pidfile: ",
    b"when: ",
    b"/etc/passwd",
    b"../",
    b"5m",
    b"80%",
    b"~",
)


def fuzz(data: bytes) -> None:
    """Load one file with nothing beside it and an empty environment."""
    loaded = load(put(folder("settings") / "config.yaml", data), {})
    promise((loaded.settings is None) == bool(loaded.errors), "settings from a wrong file, or none from a right one")
    for each in loaded.diagnostics:
        promise(each.code in CODES, f"{each.code} is not explained")
    for form in FORMATS:
        text = render(loaded.diagnostics, form, files=loaded.files)
        promise(all(one.isprintable() or one in "\n\t" for one in text), f"{form} is shown with control characters")
