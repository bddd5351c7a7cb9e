"""Every seam at which something becomes durable is known, and an engine stands each of them failing in each way."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.durability import crash
from chaos.durability.campaign import Campaign, Round
from chaos.durability.data_lives import DATA_LIVES
from chaos.durability.disk_calls import MODES, environment, read_calls
from chaos.durability.life import Life
from chaos.durability.lives import LIVES
from chaos.durability.scene import Scene
from chaos.durability.seams import SEAMS, VOLATILE, Seam, matches

OF_DATA = {life.name for life in DATA_LIVES}
PACKAGE = Path(__file__).parents[3] / "zen_agents"

#: Which modules change files, and whose seams those are; a module that is missing here writes behind the list's back.
WRITERS = {
    "adapters/action_log.py": "actions.log",
    "adapters/advisories_cache.py": "advisories.db, answers that can be asked again; no engine writes it",
    "adapters/control_socket.py": "the sockets, which are volatile",
    "adapters/data_snapshots.py": "snapshots/: directories; a copy gets its name by safe_replacing once it is whole",
    "adapters/durable_file.py": "ledger.head, audit keys, services/, running/, quarantine cards, spill, pointer, metrics",
    "adapters/emergency_flag.py": "EMERGENCY_STOP and what is prepared for it",
    "adapters/environment_copy.py": "copies of environments, which count only once they are switched in",
    "adapters/environment_notes.py": "environments/, which is read back by whoever finds a stage after a crash",
    "adapters/environment_stage.py": "stages beside environments, which are taken back after a crash",
    "adapters/event_pressure.py": "triggers in /proc, no disk",
    "adapters/file_identity.py": "the file that is moved into the quarantine",
    "adapters/launcher.py": "a pipe to a child, no disk",
    "adapters/linux_control_children.py": "running/",
    "adapters/isolated_worker.py": "a directory for what a worker writes, which goes with it",
    "adapters/last_good.py": "last-good/: what is in it is replaced durably, and what nobody names is removed",
    "adapters/linux_control_journal.py": "/run/systemd, which is volatile",
    "adapters/linux_kernel.py": "settings in /proc, no disk",
    "adapters/safe_replacing.py": "what actions put in the place of files of others, verified after a crash like every act",
    "adapters/linux_control_deleted.py": "logs of others that were deleted: emptied, nothing is to last",
    "adapters/outbox_rows.py": "outbox-spill.jsonl",
    "adapters/kept_bytes.py": "quarantine/: what a card names once it is whole",
    "adapters/quarantine.py": "quarantine/",
    "adapters/repair_looks.py": "repair-looks/: what looks found, which is found out again where it is not there",
    "adapters/running_actions.py": "running/",
    "adapters/safe_compressing.py": "archives, as safe_files",
    "adapters/safe_copying.py": "copies, as safe_files",
    "adapters/safe_files.py": "what actions do to the files of others, verified after a crash like every act",
    "adapters/service_keeper.py": "services/, and service-logs/, which are volatile",
    "adapters/spill_directories.py": "directories of workers, which are volatile",
    "adapters/sqlite_store_ballast.py": "state.db.ballast",
    "adapters/sqlite_store_file.py": "state.db",
    "adapters/sqlite_store_reading.py": "state.db, opened for looking",
    "adapters/sqlite_store_schema.py": "state.db, and its copy before a migration, which has failpoints of its own",
    "adapters/state_dir.py": "the directory and engine.lock",
    "adapters/taken_aside.py": "notes of a moment, which are volatile",
    "adapters/unbegun_actions.py": "running/.unbegun-*, which are volatile",
    "cli/baseline_record.py": "what a person asked to have declared; an engine only reads it, and it is replaced whole",
    "cli/data_repair.py": "a repaired copy that a person asked for; no engine runs",
    "cli/init.py": "a configuration that a person asked for; no engine runs",
    "cli/man.py": "pages that a person asked for; no engine runs",
    "cli/new.py": "a scaffold that a person asked for; no engine runs",
    "cli/test.py": "a report for CI that a person asked for; no engine runs",
}
_CALLS = {"create", "mkdir", "rename", "exchange", "link", "allocate", "sync", "write", "truncate", "unlink", "rmdir"}
_CHANGES = {
    "fsync", "fdatasync", "rename", "renames", "unlink", "rmdir", "mkdir", "makedirs", "write_text", "write_bytes",
    "truncate", "ftruncate", "symlink", "symlink_to", "hardlink_to", "posix_fallocate", "touch", "pwrite", "writev",
    "pwritev", "mknod", "mkfifo",
}  # fmt: skip
_BEYOND = {"os.write", "os.link", "os.replace", "os.remove", "sqlite3.connect", "tempfile.mkstemp", "shutil.move"}


def _changing_calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            opens = called == "os.open" and "O_CREAT" in ast.unparse(node)
            replaces = called.endswith(".replace") and len(node.args) == 1 and not node.keywords
            if called.rpartition(".")[2] in _CHANGES or called in _BEYOND or opens or replaces:
                yield called


def test_no_module_writes_behind_the_lists_back() -> None:
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if set(_changing_calls(path.read_text()))}
    # Actions change files through the door they are handed (test_code_contracts), workers are processes of their own.
    writers = {name for name in found if not name.startswith(("actions/", "workers/"))}
    assert writers == set(WRITERS)


def test_every_seam_is_tried_in_every_way_in_which_it_can_go_wrong() -> None:
    """Whole with the test above and the one below: each durable call of each life is a seam, and these are its rounds."""
    never = {"torn": {call for call in _CALLS if call != "write"}, "enospc": {"truncate", "unlink", "rmdir"}}
    wanted = {f"{seam.name}:{mode}" for seam in SEAMS for mode in MODES if seam.call not in never.get(mode, ())}
    tried = [each.name for each in crash.rounds()]
    assert len(tried) == len(wanted) and set(tried) == wanted
    assert {seam.life for seam in SEAMS} <= {life.name for life in LIVES}


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_every_durable_call_of_a_real_engine_is_a_seam(life: Life, tmp_path: Path) -> None:
    if life in DATA_LIVES:
        pytest.importorskip("duckdb")
    scene = Scene(tmp_path)
    try:
        life.configured(scene)
        life.before(scene)
        scene.environment = environment(*scene.roots, journal=tmp_path / "journal")
        life.course(scene)
    finally:
        scene.end()
    unknown: Counter[str] = Counter()
    passed: set[Seam] = set()
    for call in read_calls(tmp_path / "journal"):
        seams = [seam for seam in SEAMS if seam.is_passed_by(call, scene.disk)]
        assert len(seams) <= 1, f"{call.name} {call.about} is two seams: {seams}"
        if not seams and not any(matches(str(scene.disk / glob), call.about) for glob in VOLATILE):
            unknown[f"{call.name} {call.about}"] += 1
        passed.update(seams)
    assert not unknown
    assert {seam for seam in SEAMS if seam.life == life.name} <= passed


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize("seam", [seam for seam in SEAMS if seam.life not in OF_DATA], ids=lambda seam: seam.name)
def test_a_seam_that_fails_in_each_way(seam: Seam, tmp_path: Path) -> None:
    """Nothing is replayed, everything unfinished is verified, the engine watches on and tells: what the oracle asks."""
    rounds = [each for each in crash.rounds() if each.name.startswith(f"{seam.name}:")]
    assert len(rounds) == len(seam.modes) >= 3
    fails_well(rounds, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize("deed", ["exchange data/orders.csv", "rename inbox/.zen-agents-*"])
def test_killed_at_the_very_deed_on_data(deed: str, tmp_path: Path) -> None:
    """Workers make these rounds long: the command goes through all of them, in each way."""
    pytest.importorskip("duckdb")
    fails_well([each for each in crash.rounds() if each.name in (f"{deed}:before", f"{deed}:after")], tmp_path)


def fails_well(rounds: list[Round], folder: Path) -> None:
    assert rounds
    found = list(Campaign(folder, at_once=len(rounds)).run(rounds))
    assert [problem for finding in found for problem in finding.problems] == []
    assert sum(finding.count for finding in found) == len(rounds)
