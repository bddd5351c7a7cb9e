"""Commands that need no engine and no state, and what everyone is told where there is none."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import WrittenState, command
from tests.support.schemas import as_promised, faults
from zen_agents import __version__, catalog
from zen_agents.cli.main import COMMANDS
from zen_agents.model.reason import Reason
from zen_agents.settings.codes import CODES

SHORT = """
agents:
  system_health: {enabled: true, interval: 300, cpu_threshold: 80, memory_threshold: 90, auto_mitigate: true}
"""
#: Every command with arguments that are understood, besides those that start an engine.
ALL = {
    "init": ("init", "--to", "fresh.yaml"),
    "run": ("run",),
    "once": ("once", "--yes"),
    "reload": ("reload",),
    "status": ("status",),
    "top": ("top",),
    "events": ("events",),
    "incidents": ("incidents",),
    "actions": ("actions",),
    "decisions": ("decisions",),
    "why": ("why",),
    "report": ("report",),
    "logs": ("logs", "scan"),
    "packages": ("packages", "list", "-e", "nothing-here"),
    "data": ("data", "check"),
    "runbook": ("runbook", "disk"),
    "approvals": ("approvals",),
    "approve": ("approve", "@last", "--reason", "x", "--yes"),
    "deny": ("deny", "@last", "--reason", "x"),
    "ack": ("ack", "@last"),
    "act": ("act", "restart_service", "web", "--reason", "x"),
    "undo": ("undo", "@last", "--reason", "x"),
    "rollback": ("rollback", "--to", "1h", "--reason", "x"),
    "pause": ("pause", "--for", "1h", "--reason", "x"),
    "resume": ("resume",),
    "maintenance": ("maintenance", "start", "disks", "--for", "1h", "--reason", "x"),
    "safe-mode": ("safe-mode", "on", "--reason", "x"),
    "breaker": ("breaker",),
    "stop": ("stop",),
    "check-config": ("check-config",),
    "config": ("config", "show"),
    "schema": ("schema",),
    "baseline": ("baseline", "record"),
    "explain": ("explain", "guards"),
    "plan": ("plan",),
    "new": ("new", "rule", "high_load"),
    "alert": ("alert", "test"),
    "replay": ("replay",),
    "lint": ("lint",),
    "test": ("test", "rules", "none.yaml"),
    "audit": ("audit", "verify"),
    "doctor": ("doctor", "--offline"),
    "version": ("version",),
    "completion": ("completion", "bash"),
    "man": ("man", "why"),
}
#: What a command ends with where there is neither an engine, nor a state, nor a configuration.
NOTHING_HERE = {
    "init": 0, "schema": 0, "explain": 0, "runbook": 0, "version": 0, "completion": 0, "new": 0, "top": 2, "man": 0,
    "doctor": 1, "run": 78, "once": 78, "plan": 78, "check-config": 78, "config": 78, "baseline": 78, "logs": 78,
    "alert": 78, "lint": 78, "test": 2, "packages": 2, "data": 78,
}  # fmt: skip
#: Ends with 1 and has an answer all the same.
ANSWERS_BADLY = {"doctor"}


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ZEN_AGENTS_CONFIG", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("zen_agents.settings.finding.SYSTEM_CONFIG", str(tmp_path / "etc.yaml"))


def config(text: str = SHORT, name: str = "c.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    Path(name).chmod(0o600)
    return name


def test_every_command_is_here() -> None:
    assert set(ALL) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(ALL))
def test_where_nothing_is_every_command_says_so_in_one_line(name: str) -> None:
    done = command(*ALL[name])
    assert done.code == NOTHING_HERE.get(name, 3), done
    if done.code and name not in ANSWERS_BADLY:
        assert done.err.startswith("zen-agents: ")
        assert done.err.count("\n") == 1
        assert done.out == ""


@pytest.mark.parametrize("output", ["json", "jsonl", "yaml"])
@pytest.mark.parametrize("name", sorted(ALL))
def test_what_programs_read_is_one_document_with_an_envelope(name: str, output: str) -> None:
    done = command(*ALL[name], "-o", output)
    if output == "jsonl":
        documents = [json.loads(line) for line in done.out.splitlines()]
        assert documents
        body = documents[0]
    else:
        body = json.loads(done.out) if output == "json" else yaml.safe_load(done.out)
    if done.code and name not in ANSWERS_BADLY:
        assert body == {"schema": "zen-agents/error/v1", "error": done.err.strip().removeprefix("zen-agents: "),
                        "exit_code": done.code}  # fmt: skip
    elif name != "explain" or output != "jsonl":
        as_promised(body)


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_help_of_each_command_begins_with_examples(name: str) -> None:
    done = command(name, "--help")
    assert done.code == 0
    head, _, examples = done.out.partition("Examples:\n")
    assert head.startswith(f"usage: zen-agents {name}")
    assert f"zen-agents {name}" in examples.partition("options:")[0]
    assert done.out == command("help", name).out == command("-h", name).out


def test_the_overview_lists_every_command() -> None:
    for words in (("--help",), ("-h",), ("help",)):
        done = command(*words)
        assert done.code == 0
        assert all(f"  {name} " in done.out for name in COMMANDS)


def test_alone_it_names_the_three_first_steps_and_then_shows_the_status(state: WrittenState) -> None:
    done = command()
    assert done.code == 0
    assert [word in done.out for word in ("zen-agents init", "zen-agents plan", "zen-agents run")] == [True] * 3
    assert command("--state-dir", str(state.path)).out == state("status").out


def test_what_an_audit_keeps_is_no_sign_of_an_engine(tmp_path: Path) -> None:
    (tmp_path / "advisories.db").touch()
    assert "zen-agents init" in command("--state-dir", str(tmp_path)).out
    (tmp_path / "EMERGENCY_STOP").touch()
    assert "zen-agents init" not in command("--state-dir", str(tmp_path)).out


def test_versions() -> None:
    for words in (("version",), ("--version",)):
        assert command(*words).out.startswith(f"zen-agents {__version__} (Python 3.")
    assert command("version", "-o", "json").json()["version"] == __version__


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stauts",), "did you mean 'status'?"),
        (("frobnicate",), "there is no command"),
        (("status", "--quite"), "did you mean '--quiet'?"),
        (("status", "-o", "xml"), "invalid choice"),
        (("status", "extra"), "unrecognized arguments"),
        (("safe-mode", "maybe", "--reason", "x"), "invalid choice"),
        (("safe-mode",), "required"),
        (("stop", "--now"), "--now goes with --emergency"),
        (("pause", "--for", "1x", "--reason", "x"), "is no duration"),
        (("explain", "cooldwn"), "did you mean 'cooldown'?"),
        (("explain", "guard", "cooldwn"), "did you mean 'cooldown'?"),
        (("explain", "zc10"), "did you mean 'ZC"),
        (("explain", "config", "agents.system_healt"), "system_health"),
        (("why", "x", "--at", "1h"), ""),
        (("status", "--timeout"), "expected one argument"),
        (("events", "--limit", "0"), "is no whole number"),
    ],
)
def test_wrong_usage_is_exit_two_and_says_what_was_meant(words: tuple[str, ...], said: str, state: WrittenState) -> None:
    done = state(*words)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (("pause", "--for", "1h"), "--reason TEXT"),
        (("safe-mode", "on"), "--reason TEXT"),
        (("act", "restart_service", "web"), "--reason TEXT"),
        (("breaker", "reset", "x"), "--reason TEXT"),
        (("once", "-c", "c.yaml"), "--yes"),
    ],
)
def test_nobody_is_asked_without_a_terminal(words: tuple[str, ...], flag: str) -> None:
    config()
    done = command(*words)
    assert (done.code, flag in done.err) == (2, True)


def test_init_writes_a_calm_configuration_and_never_over_one(tmp_path: Path) -> None:
    done = command("init")
    assert done.code == 0
    assert "mode: observe" in Path("zen-agents.yaml").read_text(encoding="utf-8")
    assert command("check-config", "zen-agents.yaml").code == 0
    with_packs = Path("zen-agents.yaml").read_text(encoding="utf-8").replace("# extends: ", "extends: ")
    assert 'unit: "' in command("config", "show", "-c", str(config(with_packs, "packed.yaml"))).out
    Path("zen-agents.yaml").write_text("mine\n", encoding="utf-8")
    again = command("init")
    assert (again.code, "left as it is" in again.err) == (2, True)
    assert Path("zen-agents.yaml").read_text(encoding="utf-8") == "mine\n"
    Path("link.yaml").symlink_to("target.yaml")
    assert command("init", "--to", "link.yaml").code == 2
    assert not Path("target.yaml").exists()
    assert command("init", "--to", "no/such/dir.yaml").code == 2
    assert command("init", "--to", "other.yaml", "-o", "json").json()["path"] == "other.yaml"


def test_check_config_in_each_form() -> None:
    good, bad = config(), config("agents:\n  system_helth: {}\n", "bad.yaml")
    done = command("check-config", good)
    assert done.code == 0
    assert done.out.startswith("OK: 1 file, 1 agent, ")
    assert "it implies:" not in done.out or "restart_service" not in done.out
    body = command("check-config", good, "-o", "json").json()
    assert (body["ok"], body["files"], body["diagnostics"]) == (True, [good], [])
    for form, mark in (
        ("full", "-->"),
        ("concise", "bad.yaml:2"),
        ("github", "::error file=bad.yaml"),
        ("sarif", '"2.1.0"'),
    ):
        done = command("check-config", bad, "--format", form)
        assert done.code == 78
        assert mark in done.out
    assert json.loads(command("check-config", bad, "--format", "json").out)[0]["line"] == 2
    body = command("check-config", bad, "-o", "json").json()
    assert (body["ok"], body["diagnostics"][0]["file"]) == (False, bad)
    assert "system_health" in command("check-config", bad).out


def test_check_config_reads_standard_input_and_can_be_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    given(SHORT)
    assert command("check-config", "-").code == 0
    given("agents: [\n")
    assert command("check-config", "-").code == 78
    warned = config("agents: {}\n")
    assert "warning" in command("check-config", warned).out
    assert command("check-config", warned).code == 0
    assert command("check-config", warned, "--strict").code == 78


def test_config_show_loads_again_and_names_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    name = config()
    shown = command("config", "show", "-c", name)
    assert shown.code == 0
    assert command("check-config", config(shown.out, "again.yaml")).code == 0
    monkeypatch.setenv("MAX_AUTO_REPAIRS_PER_HOUR", "4")
    sources = command("config", "show", "-c", name, "--sources").out
    assert "max_auto_repairs_per_hour: 4" in sources
    assert "MAX_AUTO_REPAIRS_PER_HOUR" in sources
    assert "c.yaml:3" in sources
    differing = command("config", "show", "-c", name, "--diff-defaults").out
    assert len(differing) < len(shown.out)
    assert "max_auto_repairs_per_hour: 4" in differing
    body = command("config", "show", "-c", name, "--sources", "-o", "json").json()
    assert body["values"]["limits"]["max_auto_repairs_per_hour"] == 4
    assert "MAX_AUTO_REPAIRS" in body["sources"]["limits.max_auto_repairs_per_hour"]
    assert command("config", "show", "-c", config("nonsense: 1\n", "bad.yaml")).code == 78
    assert command("config", "show", "-c", "missing.yaml").code == 78


def test_the_schema_is_draft_07_and_takes_what_the_loader_takes() -> None:
    schema = json.loads(command("schema", "config").out)
    assert schema["$schema"].startswith("http://json-schema.org/draft-07/")
    assert not list(faults(yaml.safe_load(SHORT), schema))
    assert list(faults({"agents": {"system_health": {"enabeld": True}}}, schema))
    assert command("schema", "-o", "json").json()["document"] == schema


EXPLAINED: list[tuple[str, ...]] = [
    *((code,) for code in CODES),
    *(("guard", guard.name) for guard in catalog.GUARDS),
    *(("action", name) for name in catalog.ACTIONS),
    *(("check", kind) for kind in catalog.CHECKS),
    *(("agent", name) for name in catalog.AGENTS),
    *(("reason", reason.value) for reason in Reason),
]


@pytest.mark.parametrize("words", EXPLAINED, ids=" ".join)
def test_everything_that_has_a_name_is_explained(words: tuple[str, ...]) -> None:
    done = command("explain", *words)
    assert done.code == 0
    assert done.out.startswith(f"{words[-1]}: ")
    assert len(done.out.split()) > 4


def test_explain_finds_names_kinds_and_settings() -> None:
    both = command("explain", "cooldown").out
    assert command("explain", "cooldown", "-o", "json").json()["items"]
    assert both.startswith("guard cooldown: ")
    assert "\nreason cooldown: " in both
    assert command("explain", "restart_service").out.startswith("action restart_service: ")
    assert command("explain", "zc101").out.startswith("ZC101: ")
    for kind in ("agents", "checks", "actions", "guards", "reasons", "codes"):
        items: list[dict[str, Any]] = command("explain", kind, "-o", "json").json()["items"]
        assert items
        assert all(item["summary"] for item in items), kind
    threshold = command("explain", "config", "agents.system_health.cpu_threshold").out
    assert "percent" in threshold
    assert command("explain", "agents.system_health.cpu_threshold").out == threshold
    assert "MAX_AUTO_REPAIRS_PER_HOUR" in command("explain", "limits.max_auto_repairs_per_hour").out


def test_fields_can_be_picked_and_a_wrong_one_names_those_there_are(state: WrittenState) -> None:
    body = state("status", "--json=health").json()
    assert body == {"schema": "zen-agents/status/v1", "health": "not running"}
    wrong = state("status", "--json", "health,helth")
    assert (wrong.code, "there are: abnormal" in wrong.err) == (2, True)
    assert wrong.json()["schema"] == "zen-agents/error/v1"


def test_what_nobody_expected_is_one_line_too(state: WrittenState, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ValueError("unexpected")

    monkeypatch.setattr("zen_agents.cli.version.data", breaks)
    done = command("version", "-o", "json")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "this should not happen: ValueError: unexpected" in done.err
    with pytest.raises(ValueError, match="unexpected"):
        command("version", "-o", "json", "-v")


def test_a_file_that_may_not_be_opened_is_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/x/state.db")

    monkeypatch.setattr("zen_agents.cli.version.data", refuses)
    done = command("version", "-o", "json")
    assert (done.code, done.err) == (77, "zen-agents: /x/state.db: Permission denied\n")
