"""What people see, kept as golden files: each looking command at 80 and 120 columns, with and without colour.

`RENEW_GOLDEN=1` writes them anew; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import repair_forms
from tests.support.advisories import record
from tests.support.broken_night import (
    APP_LOG,
    CONFIG,
    FACTS,
    LOG,
    NOW,
    RULE_TESTS,
    WRONG_CONFIG,
    a_broken_night,
    what_the_engine_says,
)
from tests.support.command_line import WrittenState
from tests.support.engine_process import start_time
from tests.support.moments import frozen
from tests.support.schemas import as_promised
from tests.support.terminal import on_terminal
from tests.support.upgrade_forms import a_judgement, a_report
from zen_agents.adapters import control_client, host_changes, packages_look
from zen_agents.adapters.packages_withdrawn import NOTHING_WITHDRAWN
from zen_agents.agents.dependency_manager.looking import Looked
from zen_agents.agents.dependency_manager.places import EnvironmentSettings
from zen_agents.cli import packages_plan
from zen_agents.cli.data_contracts import DataSets
from zen_agents.cli.data_history import Histories
from zen_agents.cli.main import COMMANDS
from zen_agents.cli.progress import Progress
from zen_agents.datasets.finding import Outcome
from zen_agents.datasets.history import Failed, History, Run
from zen_agents.datasets.plain import history_to_plain
from zen_agents.doctor.examination import Check, Finding, State, fine
from zen_agents.engine.judged import judged_body
from zen_agents.model.package_look import PackageQuestion
from zen_agents.model.verdict import Ruling
from zen_agents.packages.updates import Available
from zen_agents.rehearsal.plan import PlanReport

GOLDEN = Path(__file__).parents[2] / "golden"
_RENEW = bool(os.environ.get("RENEW_GOLDEN"))
_COLUMNS = (80, 120)

#: Golden file -> what is typed.
FORMS = {
    "actions": "actions",
    "actions-show": "actions show act-7m3x2c",
    "approvals": "approvals --all",
    "approvals-show": "approvals show apr-2c8d4k",
    "audit-tail": "audit tail --last 5",
    "audit-verify": "audit verify",
    "breaker": "breaker",
    "config-show-sources": "config show --sources --diff-defaults",
    "check-config": "check-config /etc/zen-agents/config.yaml",
    "check-config-wrong": "check-config /etc/zen-agents/wrong.yaml",
    "decisions": "decisions",
    "decisions-show": "decisions show dec-8t5v1r",
    "doctor": "doctor",
    "events": "events --since 3h",
    "explain-action": "explain restart_service",
    "explain-reason": "explain breaker_open",
    "explain-wrong": "explain cooldwn",
    "explain-code": "explain ZC101",
    "explain-guard": "explain cooldown",
    "explain-setting": "explain config agents.system_health.thresholds",
    "help-maintenance": "maintenance --help",
    "incidents": "incidents --since 2d",
    "incidents-none": "incidents --since 1s",
    "incidents-show": "incidents show inc-4k2p9d",
    "logs-scan": "logs scan /etc/zen-agents/app.log --since 02:30",
    "logs-templates": "logs templates /etc/zen-agents/app.log",
    "logs-search": "logs search refused /etc/zen-agents/app.log --since 02:00",
    "data-check": "data check /etc/zen-agents/orders.csv --contract /etc/zen-agents/orders.yaml",
    "data-diff": "data diff /etc/zen-agents/before.csv /etc/zen-agents/after.csv --key order_id",
    "data-repair": "data repair /etc/zen-agents/orders.csv --contract /etc/zen-agents/repair.yaml --dry-run",
    "data-report": "data report /etc/zen-agents/orders.csv --contract /etc/zen-agents/orders.yaml"
    " --history /etc/zen-agents/runs",
    "packages-list": "packages list -e /etc/zen-agents/requirements.txt -e /etc/zen-agents/package-lock.json",
    "packages-outdated": "packages outdated -e /etc/zen-agents/requirements.txt --osv /etc/zen-agents/records",
    "packages-plan": "packages plan",
    "packages-why": "packages why flask -e /etc/zen-agents/requirements.txt --osv /etc/zen-agents/records",
    "lint": "lint /etc/zen-agents/config.yaml",
    "actions-none": "actions --since 1s",
    "approvals-pending": "approvals",
    "maintenance": "maintenance",
    "plan": "plan --facts /etc/zen-agents/facts.yaml",
    "replay": "replay --config /etc/zen-agents/config.yaml",
    "report": "report",
    "runbook-page": "runbook breaker-open",
    "status": "status",
    "test-pattern": r"test pattern -e process.(?P<pid>\d+).\((?P<comm>[^)]+) /etc/zen-agents/kern.log",
    "test-rules": "test rules /etc/zen-agents/web-tests.yaml",
    "why": "why inc-8t5v1q",
    "why-not": "why --not postgresql@16-main",
    "why-verbose": "why inc-8t5v1q -v",
    "wrong-command": "statsu",
    "wrong-flag": "status --waitt",
    "wrong-id": "why inc-4k2p9e",
}
#: The same, of an engine that lives and answers.
LIVING = {"status-living": "status", "status-living-quiet": "status -q", "why-living": "why inc-8t5v1q"}
#: The same, of an engine that is asked for an upgrade.
APPLYING = {"packages-apply": "packages apply app --dry-run"}
#: The same, of an engine that is asked for a repair of data.
REPAIRING = {"data-repaired": "data repair orders --yes --reason import"}
#: The same, of a state in whose ledger somebody has changed who an entry names.
TAMPERED = {"audit-verify-broken": "audit verify"}

#: Lists that grow with the product: only that they fit is looked at.
_GROWING = (
    "--help",
    "config show",
    "explain system_health",
    "explain guards",
    "explain actions",
    "explain checks",
    "explain reasons",
    "runbook",
)

#: A command is copied as it stands, an excerpt of a file and what is wrong there stand as compilers show them.
_CANNOT_BE_BROKEN = re.compile(r"(Next:|      why:)? *zen-agents |\d+ \| |error\[")

#: Commands that change, run, print for programs, or draw a whole screen: their tests are elsewhere.
NOT_LOOKED_AT = frozenset({
    "init", "run", "once", "reload", "approve", "deny", "ack", "act", "undo", "rollback", "pause", "resume", "safe-mode",
    "stop", "schema", "baseline", "new", "alert", "version", "completion", "man", "top",
})  # fmt: skip

ORDERS = "order_id,amount,status\n1,10.50,paid\n2,-3,lost\n2,n/a,paid\n"
ORDERS_CONTRACT = """\
expect:
  - {column: order_id, unique: true}
  - {column: amount, between: [0, 100000], tolerate: 40%}
  - {column: status, one_of: [new, paid], severity: critical}
  - {column: stauts, not_null: true}
"""

RUNS = tuple(
    Run(NOW.timestamp() - hours * 3600, outcome, rows, 0.2, len(named), named)
    for hours, outcome, rows, named in (
        (50, Outcome.PASSED, 3, ()), (26, Outcome.UNKNOWN, None, ()),
        (2, Outcome.FAILED, 4, (Failed("unique.order_id", 2, 4), Failed("one_of.status", 1, 4))),
    )
)  # fmt: skip

BEFORE = "order_id,amount,status,a_column_with_a_long_name\n1,10.50,paid,x\n2,3,new,\n4,7.25,new,y\n"
AFTER = (
    "order_id,amount,status,note\n1,10.50,paid,\n2,-3,paid by a person who came to the counter in the evening,\n5,1,new,\n"
)

_FILES = {
    "before.csv": BEFORE,
    "after.csv": AFTER,
    "config.yaml": CONFIG,
    "kern.log": LOG,
    "app.log": APP_LOG,
    "wrong.yaml": WRONG_CONFIG,
    "facts.yaml": FACTS,
    "web-tests.yaml": RULE_TESTS,
    "orders.csv": ORDERS,
    "orders.yaml": ORDERS_CONTRACT,
    "repair.yaml": "columns: {amount: number}\nrepair: [{clamp: {amount: [0, null]}}, drop_duplicates, quarantine_rows]\n",
    "runs/orders.json": json.dumps(history_to_plain(History(RUNS))),
    "requirements.txt": "flask==3.0.3\njinja2>=3\nMarkupSafe==2.1.5\n",
    "records/PYSEC-2026-7.json": record(
        "PYSEC-2026-7", "flask", ({"introduced": "0"}, {"fixed": "3.0.4"}), summary="sessions can be read by others"
    ).decode(),
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/@types/node": {"version": "20.1.0"}}}',
}
_LATER = {"flask": ("3.0.4", "3.1.2"), "markupsafe": ("3.0.2",)}


AN_ENVIRONMENT = Looked(
    "app", "environment:app", PackageQuestion("pypi", "/srv/app/venv"), EnvironmentSettings(venv="/srv/app/venv"),
    "environments.app",
)  # fmt: skip


async def _rehearsed(*_: object) -> PlanReport:
    return a_report()


_EXAMINED: Mapping[str, Check] = {
    "python": lambda _: fine("3.13.2, all that is needed is there"),
    "unit": lambda _: Finding(
        State.WARNING, "zen-agents.service is installed and not enabled: it does not start with this host",
        "systemctl enable --now zen-agents.service",
    ),
    "mail": lambda _: Finding(
        State.FAILED, "mail.example.com:587 refused the connection within 3 s; nobody is told of anything by mail",
        "Ask it from here: zen-agents alert test --route default, and look whether a firewall stands between",
    ),
    "clock": lambda _: Finding(State.UNKNOWN, "timedatectl does not answer"),
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Where it all happened: real directories, with the names that they have in the golden files."""

    #: What stands in a golden file -> the real directory, which is named as long.
    places: Mapping[str, Path]

    def shown(self, typed: str, *, columns: int, colour: bool = False) -> str:
        """Return what a person sees who types this."""
        words, (state, settings) = typed, self.places.values()
        for name, real in self.places.items():
            words = words.replace(name, str(real))
        common = ("--state-dir", str(state), "--config", str(settings / "config.yaml"))
        seen = on_terminal(*words.split(), *common, columns=columns, colour=colour)
        text = seen.text
        for name, real in self.places.items():
            text = text.replace(str(real), name)
        return f"$ zen-agents {typed}\n{text}[exit {seen.code}]\n"


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Return the host after a bad night, its clock stopped."""
    with (
        tempfile.TemporaryDirectory(prefix="zen-go", dir="/tmp") as state,
        tempfile.TemporaryDirectory(prefix="ze", dir="/tmp") as settings,
        frozen(NOW),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in [name for name in os.environ if name.startswith("ZEN_AGENTS_")]:
            patch.delenv(name)
        patch.setattr(socket, "gethostname", lambda: "web-07")
        patch.setattr("zen_agents.cli.doctor.CHECKS", _EXAMINED)
        patch.setattr(packages_look, "newer_python", lambda *_, **__: Available(_LATER))
        patch.setattr(packages_look, "withdrawn", lambda *_: NOTHING_WITHDRAWN)
        patch.setattr(packages_plan, "rehearse_plan", _rehearsed)
        # Else each look would add a run to what the next one shows.
        patch.setattr(Histories, "keep", lambda *_: None)
        # How far it is stands on a line that is written over.
        patch.setattr(Progress, "show", lambda *_: None)
        (Path(settings) / "dpkg.log").write_text("2026-11-21 02:58:41 upgrade postgresql-16:amd64 16.4-1 16.5-1\n", "utf-8")
        # The default is bound when the module is read.
        patch.setattr(host_changes.package_changes, "__defaults__", ((Path(settings) / "dpkg.log",),))
        for name, text in _FILES.items():
            (Path(settings) / name).parent.mkdir(exist_ok=True)
            (Path(settings) / name).write_text(text, "utf-8")
            (Path(settings) / name).chmod(0o644 if name.endswith(".csv") else 0o600)
        a_broken_night(WrittenState(Path(state)))
        yield Scene({"/var/lib/zen-agents": Path(state), "/etc/zen-agents": Path(settings)})


@pytest.fixture
def answering(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let an engine answer that lives through this night, as its status is promised."""
    said = as_promised(what_the_engine_says())
    monkeypatch.setattr(control_client, "ask", lambda *_, **__: said)
    lock = scene.places["/var/lib/zen-agents"] / "engine.lock"
    lock.write_text(f"{os.getpid()} {start_time(os.getpid())}\n", "ascii")
    yield
    lock.unlink()


@pytest.fixture
def tampered(scene: Scene) -> Iterator[None]:
    """Change who did something, behind the engine's back, for as long as somebody looks."""
    state = scene.places["/var/lib/zen-agents"] / "state.db"

    def write(actor: str) -> str:
        with closing(sqlite3.connect(state)) as database, database:
            database.execute("DROP TRIGGER IF EXISTS ledger_drops_only_bodies")
            (before,) = database.execute("SELECT actor FROM ledger WHERE seq = 7").fetchone()
            database.execute("UPDATE ledger SET actor = ? WHERE seq = 7", (actor,))
        return str(before)

    before = write("nobody")
    yield
    write(before)


@pytest.mark.usefixtures("tampered")
@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("name", TAMPERED)
def test_what_people_see_of_a_broken_ledger(scene: Scene, name: str, columns: int) -> None:
    _compare(scene, name, TAMPERED[name], columns)
    assert _too_wide(scene, TAMPERED[name], columns) == []


@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("name", FORMS)
def test_what_people_see(scene: Scene, name: str, columns: int) -> None:
    plain = _compare(scene, name, FORMS[name], columns)
    assert plain.startswith(f"$ zen-agents {FORMS[name]}\n") and re.search(r"\[exit \d+\]\n$", plain)


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("name", LIVING)
def test_what_people_see_while_the_engine_lives(scene: Scene, name: str, columns: int) -> None:
    _compare(scene, name, LIVING[name], columns)
    assert _too_wide(scene, LIVING[name], columns) == []


@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("name", APPLYING)
def test_what_people_see_of_an_upgrade(scene: Scene, name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_client, "ask", lambda *_, **__: judged_body(a_judgement(Ruling.ALLOW)))
    monkeypatch.setattr("zen_agents.cli.packages_apply.configured", lambda _: [AN_ENVIRONMENT])
    _compare(scene, name, APPLYING[name], columns)
    assert _too_wide(scene, APPLYING[name], columns) == []


@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("name", REPAIRING)
def test_what_people_see_of_a_repair(scene: Scene, name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_client, "ask", repair_forms.answer)
    monkeypatch.setattr("zen_agents.cli.data_repair.data_sets", lambda _: DataSets([repair_forms.ORDERS], {}))
    _compare(scene, name, REPAIRING[name], columns)
    assert _too_wide(scene, REPAIRING[name], columns) == []


def _compare(scene: Scene, name: str, typed: str, columns: int) -> str:
    plain = scene.shown(typed, columns=columns)
    coloured = scene.shown(typed, columns=columns, colour=True)
    # Colour repeats what a word says, and moves nothing.
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b" not in plain
    _kept(GOLDEN / f"{name}.{columns}.txt", plain)
    _kept(GOLDEN / f"{name}.{columns}.colour.txt", coloured if coloured != plain else None)
    return plain


@pytest.mark.parametrize("columns", _COLUMNS)
@pytest.mark.parametrize("typed", [*FORMS.values(), *_GROWING, *(f"{name} --help" for name in COMMANDS)])
def test_each_line_fits_but_a_command_to_be_typed(scene: Scene, typed: str, columns: int) -> None:
    assert _too_wide(scene, typed, columns) == []


def _too_wide(scene: Scene, typed: str, columns: int) -> list[str]:
    lines = scene.shown(typed, columns=columns).splitlines()[1:]
    return [line for line in lines if len(line) > columns and not _CANNOT_BE_BROKEN.match(line)]


def _kept(path: Path, text: str | None) -> None:
    """Compare with a golden file, or renew it; None: there is to be none, because nothing is coloured."""
    if _RENEW:
        path.unlink(missing_ok=True) if text is None else path.write_text(text, "utf-8")
    found = path.read_text("utf-8") if path.exists() else None
    assert text == found, f"{path.name} is another; if that is meant: RENEW_GOLDEN=1"


def test_each_looking_command_is_kept_and_nothing_else() -> None:
    kept = {typed.split()[0] for name, typed in FORMS.items() if name != "wrong-command"}
    assert set(COMMANDS) - NOT_LOOKED_AT - kept == set(), "without a form in FORMS, or a place in NOT_LOOKED_AT"
    assert kept | NOT_LOOKED_AT == set(COMMANDS)
    assert {path.name.partition(".")[0] for path in GOLDEN.iterdir()} == {*FORMS, *LIVING, *TAMPERED, *APPLYING, *REPAIRING}
