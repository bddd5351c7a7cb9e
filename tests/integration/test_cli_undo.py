"""A person takes back what the engine did: one undo, then everything, then agents one at a time."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from tests.support.engine_process import EngineProcess, wait_for
from tests.support.own_config import own_config, repaired
from zen_agents.model.duration import duration

Maker = Callable[[str], EngineProcess]
OWN = {"owner": str(os.geteuid()), "group": str(os.getegid()), "every": "1s"}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_person_undoes_rolls_back_and_resumes_in_stages(engine_with: Maker, tmp_path: Path) -> None:
    key, uploads = tmp_path / "key", tmp_path / "uploads"
    key.write_text("secret")
    key.chmod(0o600)
    paths = {
        "key": {"path": str(key), "mode": "0640", **OWN},
        "uploads": {"path": str(uploads), "mode": "0750", "kind": "directory", "create": True, **OWN},
    }
    config = own_config({"paths": paths}, ["create_directory", "restore_permissions"], breakers={"storm": {"share": "100%"}})
    engine = engine_with(config).start()
    made = repaired(engine, "create_directory", "path:uploads")
    key_rule = repaired(engine, "restore_permissions", "path:key")["rule"]

    looked = engine.cli("undo", made["id"], "--dry-run")
    assert (looked.returncode, uploads.is_dir()) == (0, True)
    assert f"remove the empty directory {uploads}" in looked.stdout
    assert "reversible" not in looked.stdout and "can be done again" in looked.stdout
    assert f"also: rule:{made['rule']} is paused for {duration(86400.0)}" in looked.stdout
    assert engine.cli("undo", made["id"], "--yes").returncode == 2, "a reason is needed"
    undone = engine.json("undo", made["id"], "--yes", "--reason", "not here")
    assert (undone["outcome"], uploads.exists()) == ("verified", False)
    again = engine.cli("undo", made["id"], "--yes", "--reason", "not here")
    assert (again.returncode, "undone already" in again.stderr) == (4, True)
    # Nobody is asked why where there is no way back.
    unasked = engine.cli("undo", made["id"])
    assert (unasked.returncode, "undone already" in unasked.stderr) == (4, True), unasked.stderr
    assert "PAUSED" in engine.cli("status").stdout
    assert [row["outcome"] for row in engine.actions() if row["id"] == made["id"]] == ["undone"]

    planned = engine.cli("rollback", "--to", "1h", "--dry-run")
    assert (planned.returncode, "would undo" in planned.stdout, _mode(key)) == (0, True, 0o640)
    done = engine.json("rollback", "--to", "1h", "--yes", "--reason", "all of it")
    assert ([step["result"] for step in done["steps"]], done["left"], _mode(key)) == (["undone"], 0, 0o600)
    assert engine.cli("rollback", "--to", "1h", "--yes", "--reason", "once more").returncode == 0

    assert engine.json("resume", f"rule:{key_rule}", "--reason", "found")["lifted"] == ["rule_paused"]
    assert "acts again, on trial for 10 m" in engine.cli("resume", "--staged", "--reason", "found").stdout
    repaired(engine, "restore_permissions", "path:key")
    # A new incident of an agent on trial.
    key.chmod(0o600)
    wait_for(lambda: "only observes again" in str(engine.events()), "the pause")
    assert engine.cli("audit", "verify").returncode == 0

    engine.stop()
    alone = engine.cli("undo", made["id"], "--yes", "--reason", "not here")
    assert (alone.returncode, "zen-agents run" in alone.stderr) == (3, True)
