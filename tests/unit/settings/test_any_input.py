"""Whatever is in the file: diagnostics with a place inside it, never a crash, and never settings from a wrong one."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import zen_agents.settings as package
from tests.support.settings import loaded
from zen_agents.settings.codes import CODES
from zen_agents.settings.loader import Loaded
from zen_agents.settings.rendering import FORMATS, render
from zen_agents.settings.shape import Shape, root

WHOLE = """\
version: 1
mode: approve
agents:
  system_health:
    enabled: true
    interval: 300
    cpu_threshold: 80
    thresholds:
      cpu: {for: 5m, clear: 70}
      disk: [{path: /srv, above: 90, for: 10m, clear: 85, inodes: true}]
    services:
      web: {unit: web.service, check: {http: "http://127.0.0.1/", timeout: 3s}, on_failure: [restart_service]}
      db: {pidfile: /run/db.pid, depends_on: [web]}
    paths: {up: {path: /srv/up, kind: directory, mode: "2775", owner: app, group: app, create: true}}
    rules: {high: {when: "avg(load1, 5m) > cpus * 2", for: 5m, target: host, on_match: ["restart_service:web"]}}
  dependency_manager: {enabled: true, schedule: "0 3 * * *", security_updates: auto}
actions:
  default: deny
  allow: {restart_service: {units: [web.service], cooldown: 10m}}
maintenance: [{name: nightly, start: "01:30", duration: 1h, timezone: Europe/Berlin, effect: no_actions}]
alerts: {email: {to: [ops@example.com]}, routes: [{match: {severity: critical}, to: [email]}]}
limits: {max_auto_repairs_per_hour: 5}
"""
WORDS = [
    *("agents", "system_health", "services", "actions", "allow", "x-note", "<<", "&a", "*a", "!!python/name:os"),
    *"{}[]:-?|>#%@'",
    *('"', "\t", "\n", "\n  ", "\n    ", "*/5 * * * *", "5m", "80%", "true", "null", "\r", "\r\n"),
    *("\N{LINE SEPARATOR}", "\x85", "\ufeff", "\U0001f4a5", "\xe9"),
]
calm = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def holds(result: Loaded) -> None:
    """Everything that was told is explained, has a place inside its file and can be rendered in every form."""
    assert (result.settings is None) == bool(result.errors)
    for diagnostic in result.diagnostics:
        place = diagnostic.place
        assert diagnostic.code in CODES
        if place.line:
            line = place.document.lines[place.line - 1]
            assert 1 <= place.column <= len(line) + 1
            assert 1 <= place.length <= max(1, len(line) - place.column + 1)
    for form in FORMATS:
        text = render(result.diagnostics, form, files=result.files)
        assert all(character.isprintable() or character in "\n\t" for character in text)


@calm
@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    holds(loaded(content))


@calm
@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_any_heap_of_yamls_words(text: str) -> None:
    holds(loaded(text))


@calm
@given(st.data())
def test_any_damage_to_a_good_file(data: st.DataObject) -> None:
    text = WHOLE
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=4))) + text[at + cut :]
    holds(loaded(text.encode("utf-8", "replace")))


VALUES: list[object] = [
    *(None, True, 0, -1, 5, 0.8, 10**17, [], ["web"], [1, [2]], {}, {"a": 1}, {"path": "/srv/x"}, [{"path": "/"}]),
    *("", "5m", "80%", "80", "auto", "/srv", "/etc", "web", "web.service", "a b", "22:00", "*/5 * * * *", "x" * 300),
    "restart_service",
]


def any_tree(shape: Shape, seed: random.Random, depth: int = 0) -> object:
    """Return a value that follows the grammar here and there."""
    if seed.random() < 0.25 or depth > 7:
        return seed.choice(VALUES)
    if shape.choices:
        return seed.choice(shape.choices)
    if shape.keys:
        chosen = [key for key in shape.keys if seed.random() < 0.4]
        return {key: any_tree(below, seed, depth + 1) for key in chosen if (below := shape.step(key))}
    below = shape.step("web") if shape.is_container else None
    if below is None:
        return seed.choice(VALUES)
    return {name: any_tree(below, seed, depth + 1) for name in ("web", "db")[: seed.randint(0, 2)]}


@calm
@given(st.integers(0, 2**32))
def test_any_tree_that_follows_the_grammar_half_way(number: int) -> None:
    tree = any_tree(root(), random.Random(number))
    holds(loaded(yaml.safe_dump(tree, sort_keys=False) if isinstance(tree, dict) else "{}"))


def test_the_good_file_is_good() -> None:
    result = loaded(WHOLE)
    assert [diagnostic.code for diagnostic in result.diagnostics] == []
    holds(result)


def test_every_code_that_can_be_reported_is_explained_and_its_example_is_short() -> None:
    settings = Path(package.__file__).parent
    files = [path for path in (*settings.glob("*.py"), *settings.with_name("lint").glob("*.py")) if path.name != "codes.py"]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    reported = set(re.findall(r'"(ZC\d{3})"', sources))
    assert reported == set(CODES)
    for code, page in CODES.items():
        assert all(page), code
        assert len(page.example.splitlines()) <= 5, code


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_machine_forms_are_json_and_hold_every_diagnostic(form: str) -> None:
    wrong = "".join(f"    key_{number}: 1\n" for number in range(30))
    result = loaded(f"agents:\n  system_health:\n{wrong}")
    parsed = json.loads(render(result.diagnostics, form, files=result.files))
    found = parsed if form == "json" else parsed["runs"][0]["results"]
    assert len(found) == 30
