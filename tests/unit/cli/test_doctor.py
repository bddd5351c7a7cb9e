"""What may be wrong is told with the next step, and packed without a secret."""

import json
import stat
import tarfile
from pathlib import Path

import pytest

from tests.support.command_line import WrittenState, a_repair
from zen_agents.model.action import Effect, OutcomeKind

#: One secret for each place where one could stand.
_KEY, _PING, _ENV, _ARGUMENT, _LOGGED, _SEEN, _PRINTED = (f"S3cr3t{name}9x" for name in "ABCDEFG")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a configuration that names secrets, and holds one where nothing refuses it: in a command's arguments."""
    for name, secret in (("key", _KEY), ("ping", f"https://ping.example.org/{_PING}")):
        (tmp_path / name).write_text(secret, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("SMTP_URL", f"smtp://app:{_ENV}@127.0.0.1:9")
    monkeypatch.setenv("ZEN_AGENTS_UNHEARD_OF", _ENV)
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""
mode: observe
agents:
  system_health:
    enabled: true
    services:
      web: {{command: {{user: root, start: [/usr/bin/app, --token, {_ARGUMENT}]}}}}
alerts:
  email: {{to: ops@example.org}}
  pagerduty: {{enabled: true, routing_key_file: {tmp_path}/key, url: "http://127.0.0.1:9"}}
  heartbeat: {{url_file: {tmp_path}/ping}}
""",
        encoding="utf-8",
    )
    path.chmod(0o600)
    return path


def packed(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        names = archive.getnames()
        texts = [(file.read().decode() if (file := archive.extractfile(name)) else "") for name in names]
    return {name.removeprefix("zen-agents/"): text for name, text in zip(names, texts, strict=True)}


def test_no_secret_is_in_the_bundle_wherever_it_stood(state: WrittenState, config: Path, tmp_path: Path) -> None:
    a_repair(state)
    state.incident("inc-cccc33", state.ago(30), detail=f"GET /?token={_SEEN} failed", opened_at=state.ago(30))
    state.decided("dec-cccc33", state.ago(20), incident="inc-cccc33", seen=f"Authorization: Bearer {_SEEN}")
    said = Effect(True, "restarted", exit_code=0, output=f"535 refused {_KEY}\npassword={_PRINTED}\n")
    state.acted("act-cccc33", state.ago(10), OutcomeKind.VERIFIED, incident="inc-cccc33", effect=said)
    (state.path / "actions.log").write_text(
        f"03:00 app --api-key {_LOGGED} and {_PING} {_ENV}\nplain line\n", encoding="utf-8"
    )
    bundle = tmp_path / "zen.tar.gz"
    done = state("doctor", "-c", str(config), "--bundle", str(bundle), "--offline")
    assert (done.code, str(bundle) in done.err) == (1, True)
    files = packed(bundle)
    for secret in (_KEY, _PING, _ENV, _ARGUMENT, _LOGGED, _SEEN, _PRINTED):
        assert [name for name, text in files.items() if secret in text] == [], secret
    # What helps is there all the same.
    assert "plain line" in files["actions.log"]
    assert "routing_key_file" in files["config.yaml"]
    assert json.loads(files["environment.json"]) == sorted(["SMTP_URL", "ZEN_AGENTS_UNHEARD_OF"])
    assert {row["id"] for row in json.loads(files["decisions.json"])} >= {"dec-aaaa11", "dec-cccc33"}
    assert json.loads(files["actions.json"])[0]["id"] == "act-cccc33"
    assert json.loads(files["incidents.json"])
    assert json.loads(files["versions.json"])["libraries"]["pydantic"]
    assert json.loads(files["status.json"]) == {"health": "not running"}
    assert json.loads(files["doctor.json"])["engine"]["state"] == "FAILED"
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_a_configuration_that_is_not_valid_keeps_its_secrets_too(state: WrittenState, config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + "typo: 1\n", encoding="utf-8")
    (state.path / "actions.log").write_text(f"refused {_KEY} and {_PING}\n", encoding="utf-8")
    state("doctor", "-c", str(config), "--bundle", str(tmp_path / "b.tgz"), "--offline")
    files = packed(tmp_path / "b.tgz")
    assert not [name for name, text in files.items() if _KEY in text or _PING in text]
    assert "typo" in files["config.yaml"]


def test_a_bundle_is_made_also_where_there_is_nothing(state: WrittenState, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(f"alerts: {{pagerduty: {{routing_key: {_KEY}}}}}\n", encoding="utf-8")
    bundle = tmp_path / "b.tgz"
    done = state("doctor", "-c", str(wrong), "--bundle", str(bundle), "-o", "json")
    body = done.json()
    assert (done.code, body["healthy"], body["bundle"]) == (1, False, str(bundle))
    files = packed(bundle)
    assert set(files) == set(body["files"])
    assert json.loads(files["config.yaml"])[-1]["code"] == "ZC401"
    assert files["actions.log"].startswith("not to be had: ")
    assert _KEY not in "".join(files.values())


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_is_there_is_not_written_over(state: WrittenState, tmp_path: Path, link: bool) -> None:
    there, kept = tmp_path / "b.tgz", tmp_path / "kept"
    kept.write_text("mine", encoding="utf-8")
    there.symlink_to(kept) if link else there.write_text("mine", encoding="utf-8")
    done = state("doctor", "--bundle", str(there), "--offline")
    assert (done.code, kept.read_text(), there.read_text()) == (2, "mine", "mine")
    assert "is there already" in done.err


def test_a_bundle_without_a_place_is_one_line(state: WrittenState, tmp_path: Path) -> None:
    done = state("doctor", "--bundle", str(tmp_path / "none" / "b.tgz"), "--offline")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "none" in done.err


def test_each_check_is_one_line_with_the_next_step_below_it(state: WrittenState, config: Path) -> None:
    done = state("doctor", "-c", str(config), "--offline")
    lines = done.out.splitlines()
    assert any(line.startswith("ok       config ") for line in lines)
    place = next(index for index, line in enumerate(lines) if line.startswith("FAILED   engine "))
    assert lines[place + 1].strip() == "-> zen-agents run"
    assert lines[-1].split(" checks: ")[0].isdecimal()
    assert len(state("doctor", "-c", str(config), "--offline", "-q").out.splitlines()) < len(lines)
