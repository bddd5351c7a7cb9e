"""Packs lie below the host's own file: it overrides them by merging, leaves out what it does not want, and alone allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.settings import codes, loaded, told, working_in
from zen_agents import catalog
from zen_agents.model.quantities import format_duration
from zen_agents.settings import packs
from zen_agents.settings.explain import explain
from zen_agents.settings.handover import from_lines, to_lines
from zen_agents.settings.ladders import LADDER_KEYS
from zen_agents.settings.loader import digest_of, load, load_tree
from zen_agents.settings.nodes import Node
from zen_agents.settings.show import show, to_yaml

NAMES = sorted(packs.installed())
ALL = f"extends: [{', '.join(f'pack:{name}' for name in NAMES)}]\n"
NGINX = "extends: pack:nginx\n"
HEALTH = "agents:\n  system_health:\n"


def health(text: str) -> object:
    return loaded(text).require().agents["system_health"]


def _ladders(node: Node) -> list[str]:
    found: list[str] = []
    for key, entry in node.value.items() if node.is_map else ():
        found += [step.value for step in entry.node.value] if key in LADDER_KEYS else _ladders(entry.node)
    return found


def test_there_is_a_pack_for_each_common_service() -> None:
    assert NAMES == [
        "cron",
        "docker",
        "integrity",
        "jvm",
        "nginx",
        "postgresql",
        "redis",
        "security",
        "systemd",
        "web_attacks",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_is_right_alone_holds_agents_alone_and_names_what_is_the_hosts_to_set(name: str) -> None:
    assert codes(f"extends: [pack:{name}]\n") == []
    pack = packs.describe(name)
    assert set(pack.tree.value) == {"x-pack", "agents"}
    assert pack.about and pack.parameters
    (agent,) = pack.tree.value["agents"].node.value
    for key in pack.parameters:
        explain(f"agents.{agent}.{key}")
    assert {step.partition(":")[0] for step in _ladders(pack.tree)} <= catalog.MILD


def test_all_packs_together_say_nothing_twice() -> None:
    result = loaded(ALL)
    assert result.diagnostics == ()
    assert {"nginx", "postgresql", "redis", "docker", "jvm", "cron"} <= set(
        result.require().agents["system_health"].services
    )


def test_each_value_says_which_pack_and_line_it_is_from_and_what_it_won_over() -> None:
    result = loaded(f"{NGINX}{HEALTH}    services: {{nginx: {{unit: web.service}}}}\n")
    shown = to_yaml(show(result, sources=True))
    line = next(
        number
        for number, text in enumerate(packs.installed()["nginx"].read_text("utf-8").splitlines(), 1)
        if "fail_after" in text
    )
    assert f"fail_after: 3   # pack:nginx:{line}\n" in shown
    assert 'unit: "web.service"   # config.yaml:4 (pack says nginx.service, pack:nginx:' in shown
    assert result.origins["agents.system_health.services.nginx.fail_after"].startswith(f"pack:nginx:{line}:")


def test_what_is_shown_is_expanded_and_means_the_same() -> None:
    result = loaded(ALL)
    again = loaded(to_yaml(show(result)).replace("actions:\n", "x-actions:\n"))
    assert "extends" not in to_yaml(show(result))
    assert digest_of(again.require()) == digest_of(result.require())


def test_the_hosts_own_file_and_its_drop_ins_win_by_merging() -> None:
    page = 'tcp: null, send: "", http: "http://127.0.0.1/ok"'
    text = f"{NGINX}{HEALTH}    services: {{nginx: {{check: {{{page}}}, every: 10s}}}}\n"
    service = loaded(text, drop_ins={"10.yaml": f"{HEALTH}    services: {{nginx: {{fail_after: 9}}}}\n"}).require()
    nginx = service.agents["system_health"].services["nginx"]
    assert (nginx.check.http, nginx.check.tcp, format_duration(nginx.every)) == ("http://127.0.0.1/ok", None, "10s")
    assert (nginx.fail_after, nginx.unit) == (9, "nginx.service")


def test_an_environment_variable_wins_over_a_pack_and_a_pack_needs_no_agents_beside_it() -> None:
    assert loaded(NGINX, AGENT_SYSTEM_HEALTH_ENABLED="false").require().agents["system_health"].enabled is False


def test_what_is_given_as_nothing_is_left_out_and_an_empty_section_says_nothing() -> None:
    left = health(f"extends: [pack:nginx, pack:systemd]\n{HEALTH}    services: {{nginx: null}}\n    journal: null\n"
                  "    processes:\n    rules: {nginx_slow: null}\n    oom_kills: null\n")  # fmt: skip
    assert set(left.services) == {"journald"}
    assert (left.journal, left.oom_kills, dict(left.rules)) == (None, None, {})
    assert set(left.processes) == {"nginx_worker"}
    assert left.uninterruptible is not None
    for nothing in ("agents:\n", "agents:\n  system_health:\n"):
        assert set(health(f"{NGINX}{nothing}").services) == {"nginx"}


def test_an_entry_that_is_left_out_and_still_needed_is_told() -> None:
    assert codes(f"extends: [pack:docker]\n{HEALTH}    services: {{containerd: null}}\n") == ["ZC303"]


def test_a_pack_never_widens_the_allow_list_and_its_ladders_say_what_is_left_out() -> None:
    text = f"{NGINX}actions: {{allow: {{rotate_logs: {{}}}}}}\n"
    result = loaded(text)
    assert set(result.require().actions.allow) == {"rotate_logs"}
    assert result.require().agents["system_health"].services["nginx"].on_failure == ()
    assert [each.code for each in result.diagnostics] == ["ZC112"]
    assert result.diagnostics[0].place.document.name == "pack:nginx"
    assert "warning[ZC112]: `restart_service` is left out of this ladder" in told(text)
    assert codes(f"{text}{HEALTH}    services: {{nginx: {{on_failure: []}}}}\n") == []
    assert codes(f"{text}{HEALTH}    services: {{nginx: {{on_failure: [restart_service]}}}}\n") == ["ZC302"]
    assert codes(f"{NGINX}actions: {{}}\n") == ["ZC112"]


@pytest.mark.parametrize("allowed", [(), ("restart_service",), ("rotate_logs", "vacuum_journal"), ("kill_process",)])
def test_whatever_a_host_allows_the_ladders_of_all_packs_stay_within_it(allowed: tuple[str, ...], tmp_path: Path) -> None:
    listed = ", ".join(f"{action}: {{}}" for action in allowed)
    (tmp_path / "config.yaml").write_text(f"{ALL}actions: {{allow: {{{listed}}}}}\n", "utf-8")
    result, tree = load_tree(str(tmp_path / "config.yaml"), {})
    assert set(result.require().actions.allow) == set(allowed)
    assert {step.partition(":")[0] for step in _ladders(tree)} <= set(allowed)
    assert {each.code for each in result.diagnostics} <= {"ZC112"}


def test_without_an_allow_list_the_hosts_file_implies_the_mild_one() -> None:
    actions = loaded(ALL).require().actions
    assert actions.built_in
    assert set(actions.allow) == set(catalog.MILD)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("extends: [pack:ngnix]\n", "ZC303", "did you mean `pack:nginx`?"),
        ("extends: [preset:nginx]\n", "ZC303", "which is no pack"),
        ("extends: nginx\n", "ZC303", "did you mean `pack:nginx`?"),
        ("extends: ['pack:../nginx']\n", "ZC303", "which is no pack"),
        ("extends: {pack: nginx}\n", "ZC207", "a list"),
        ("extends: [7]\n", "ZC207", "a text"),
    ],
)
def test_a_name_that_is_no_pack_is_an_error_at_its_place(text: str, code: str, says: str) -> None:
    assert code in codes(f"{text}agents: {{system_health: {{}}}}\n")
    assert "config.yaml:1" in told(text)
    assert says in told(text)


def test_a_drop_in_names_no_packs() -> None:
    result = loaded("agents: {system_health: {}}\n", drop_ins={"10.yaml": NGINX})
    assert [(each.code, each.place.document.name) for each in result.errors] == [("ZC408", "conf.d/10.yaml")]


@pytest.fixture
def own_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack `own` of the host's, as if it lay beside the file that a test loads."""
    path = tmp_path / "own.yaml"
    path.write_text("agents: {system_health: {services: {own: {unit: own.service}}}}\n", "utf-8")
    monkeypatch.setattr(packs, "beside", lambda main: {"own": path})
    return path


def test_a_host_has_packs_of_its_own_beside_its_file_under_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    for name in ("shop", "nginx"):
        (tmp_path / "packs" / f"{name}.yaml").write_text(
            "agents: {system_health: {services: {shop: {unit: shop.service}}}}\n", "utf-8"
        )
    path = tmp_path / "config.yaml"
    path.write_text("extends: [pack:cron, pack:shop]\n", "utf-8")
    result = load(str(path), {})
    assert set(result.require().agents["system_health"].services) == {"cron", "shop"}
    assert result.origins["agents.system_health.services.shop"] == "pack:shop:1:37"
    path.write_text("extends: [pack:nginx]\n", "utf-8")
    assert [(each.code, each.place.line) for each in load(str(path), {}).errors] == [("ZC408", 1)]


def test_what_is_wrong_in_a_pack_is_told_at_its_place_in_it(own_pack: Path) -> None:
    own_pack.write_text("agents:\n  system_health:\n    services: {own: {unti: own.service}}\n", "utf-8")
    assert " --> pack:own:3:22\n" in told("extends: pack:own\n")
    assert "did you mean `unit`?" in told("extends: pack:own\n")
    own_pack.write_text("agents: [\n", "utf-8")
    assert "error[ZC001]" in told("extends: pack:own\n")


@pytest.mark.parametrize("part", ["mode: enforce", "actions: {allow: {kill_process: {approval: auto}}}",
                                  "plugins: [x]", "approvals: {}", "extends: pack:nginx"])  # fmt: skip
def test_a_pack_that_says_what_is_the_hosts_to_say_is_refused(own_pack: Path, part: str) -> None:
    own_pack.write_text(f"agents: {{system_health: {{}}}}\n{part}\n", "utf-8")
    result = loaded("extends: pack:own\n")
    assert [(each.code, str(each.place)) for each in result.errors] == [("ZC408", "pack:own:2:1")]


def test_a_pack_that_others_could_have_written_is_not_read(own_pack: Path) -> None:
    own_pack.chmod(0o666)
    result = loaded("extends: pack:own\n")
    assert [each.code for each in result.errors] == ["ZC403"]
    assert str(os.path.realpath(own_pack)) in result.errors[0].message


def test_a_pack_that_is_gone_is_told(own_pack: Path) -> None:
    own_pack.unlink()
    assert [each.code for each in loaded("extends: pack:own\n").errors] == ["ZC006"]


def test_two_packs_that_set_one_leaf_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("agents: {system_health: {interval: 1m}}\n", "utf-8")
    monkeypatch.setattr(packs, "installed", lambda: {name: tmp_path / f"{name}.yaml" for name in ("a", "b")})
    assert codes("extends: [pack:a, pack:b, pack:b]\n") == ["ZC104"]


def test_packs_are_handed_over_from_one_process_to_another_as_what_came_of_them(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(ALL, "utf-8")
    with working_in(tmp_path):
        whole, tree = load_tree("config.yaml", {}, lean=True)
        handed = from_lines(to_lines(whole, tree))
        assert handed.digest == load("config.yaml", {}).digest
    assert handed.require().agents == whole.require().agents
