"""Each pack that is shipped has rule tests that hold, a runbook, a line on its page, and no rule that decides nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.doc_blocks import ROOT
from zen_agents.settings.nodes import Node
from zen_agents.settings.packs import describe, installed

PACKS = installed()


@pytest.mark.parametrize("name", PACKS)
def test_its_rule_tests_pass(name: str) -> None:
    done = command("test", "rules", str(PACKS[name].with_suffix(".test.yaml")))

    assert done.code == 0, done.out + done.err
    assert int(re.findall(r"(\d+) passed, 0 failed", done.out)[0]) >= 2


@pytest.mark.parametrize("name", PACKS)
def test_what_it_watches_has_its_runbook(name: str) -> None:
    page = command("runbook", name)
    assert page.code == 0
    assert f"`pack:{name}`" in page.out
    named = set(_runbooks(describe(name).tree))
    assert named == {f"zen-agents runbook {name}"}


def _runbooks(node: Node) -> list[str]:
    found = []
    for key, entry in node.value.items() if node.is_map else ():
        found += [entry.node.text] if key == "runbook" else _runbooks(entry.node)
    return found


@pytest.mark.parametrize("names", [*((name,) for name in PACKS), tuple(PACKS)], ids="+".join)
def test_no_rule_of_it_is_one_that_decides_nothing_or_fights_another(names: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"extends: [{', '.join(f'pack:{name}' for name in names)}]\n", "utf-8")
    path.chmod(0o600)

    done = command("lint", str(path))

    assert (done.code, done.err) == (0, "")


def test_the_page_and_the_command_name_every_pack() -> None:
    page = (ROOT / "docs" / "how-to" / "use-a-pack.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `pack:(\w+)`", page, re.MULTILINE)) == sorted(PACKS)
    listed = command("explain", "packs").out
    assert len(command("explain", "packs", "-o", "json").json()["items"]) > 5
    for name in PACKS:
        assert re.search(rf"^{name} +\w", listed, re.MULTILINE)
        shown = command("explain", f"pack:{name}", "-o", "json").json()
        assert shown["use"] == f"extends: [pack:{name}]"
        assert shown["watches"]
