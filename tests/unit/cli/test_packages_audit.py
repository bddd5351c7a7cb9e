"""`packages audit`: what is known, what is not, and that the exit code never says "clean" of what was not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.advisories import catalogue, feed, record
from tests.support.command_line import Done, command
from tests.support.environments import a_dpkg_root, a_venv, installed
from tests.support.npm_registry import advisory, npm_registry
from tests.support.osv_server import OsvServer, osv_server
from tests.support.schemas import faults_of_cyclonedx, faults_of_sarif
from tests.support.terminal import on_terminal

BEFORE = {"introduced": "0"}, {"fixed": "3.1.4"}
CVSS = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
SOON = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.fixture(autouse=True)
def _environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "state"))
    a_dpkg_root(Path("root"), installed("bash", "5.1"))
    a_venv(Path("app/.venv"), {"Flask": "3.0", "Jinja2": "3.1.3"})
    Path("records").mkdir()
    Path("records/1.json").write_bytes(
        record("PYSEC-1", "jinja2", BEFORE, aliases=["CVE-1"], severity=CVSS, summary="a hole")
    )
    Path("feed").write_bytes(feed(["bash,0,SHRF,5.2,"]))


@pytest.fixture
def server() -> Iterator[OsvServer]:
    with osv_server() as running:
        yield running


def audit(*words: str, osv: str = "records") -> Done:
    return command("packages", "audit", "-e", "app", "--osv", osv, *words)


def findings(done: Done) -> list[tuple[str, str, str]]:
    return [(each["name"], each["advisory"], each["fixed_in"]) for each in done.json()["findings"]]


def test_what_is_known_of_every_environment_is_found() -> None:
    done = audit("-e", "root", "--debsecan", "feed", "-o", "json")
    assert done.code == 1
    assert findings(done) == [("jinja2", "PYSEC-1", "3.1.4"), ("bash", "CVE-2026-1", "5.2")]
    body = done.json()
    assert (body["packages"], body["unknown"], body["ignored"]) == (3, [], [])
    assert (body["findings"][0]["score"], body["findings"][0]["severity"]) == (9.8, "critical")
    assert [each["ecosystems"] for each in body["sources"]] == [["pypi"], ["debian"]]
    assert audit("-o", "name").out == "jinja2\n"


def test_people_see_the_worst_first_with_what_fixes_it_and_how_old_that_knowledge_is() -> None:
    done = audit("-e", "root", "--debsecan", "feed")
    first, second = done.out.splitlines()[1:3]
    assert first.split()[:5] == ["jinja2", "3.1.3", "PYSEC-1", "critical", "3.1.4"]
    assert second.split()[:5] == ["bash", "5.1", "CVE-2026-1", "high", "5.2"]
    assert "as of" in done.out
    assert "3 packages, 2 known weaknesses in 2 packages" in done.out


def test_nothing_is_known_only_where_all_was_told() -> None:
    Path("records/1.json").write_bytes(record("PYSEC-1", "jinja2", [*BEFORE], withdrawn="2026-01-01T00:00:00Z"))
    done = audit()
    assert done.code == 0
    assert "2 packages, no known weakness" in done.out


@pytest.mark.parametrize("broken", ["the source", "the environment", "the directory is empty", "a record"])
def test_what_could_not_be_told_is_unknown_and_not_clean(server: OsvServer, broken: str) -> None:
    osv = "records"
    if broken == "the source":
        server.instead, osv = ("/", 502, b""), server.url
    elif broken == "the environment":
        Path("records/1.json").write_bytes(record("PYSEC-1", "other", BEFORE))
        Path("app/.venv/lib/python3.11/site-packages/broken-1.dist-info").mkdir(parents=True)
    elif broken == "the directory is empty":
        Path("records/1.json").unlink()
    else:
        Path("records/1.json").write_text("<html>")
    done = audit(osv=osv)
    assert done.code == 6
    assert "UNKNOWN: " in done.out
    assert "no known weakness" not in done.out
    assert "unknown: " in done.err
    assert audit("-o", "json", osv=osv).json()["unknown"]


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"requirements.txt": "flask==3.0\nbad requirement here\n"}, "requirements.txt:2 is no requirement"),
        ({"requirements.txt": "flask==3.0\nFlask == 2.0\n"}, "requirements.txt:2 pins flask to 2.0"),
        ({"requirements.txt": "-r gone.txt\n"}, "gone.txt is not there"),
        ({"uv.lock": "version = 1\n[[package]\n"}, "uv.lock:2 is no TOML"),
        ({"package-lock.json": "{"}, "package-lock.json:1 is no JSON"),
        ({"pyvenv.cfg": "home = /gone\n", "lib/python3.9/site-packages/x.txt": ""}, "bin/python is gone or was moved"),
        ({"pyvenv.cfg": "home = /usr/bin\n"}, "has no site-packages: it is no Python environment, or a broken one"),
    ],
)
def test_what_is_broken_is_told_with_its_place_and_is_never_clean(files: dict[str, str], place: str) -> None:
    for name, text in files.items():
        Path("broken", name).parent.mkdir(parents=True, exist_ok=True)
        Path("broken", name).write_text(text)
    done = command("packages", "audit", "-e", "broken", "--osv", "records")
    assert done.code == 6
    assert "unknown: " in done.err
    assert place in done.err


@pytest.mark.parametrize("named", ["Zope_Interface", "zope.interface", "ZOPE-interface"])
def test_a_name_is_one_name_however_it_is_written(named: str) -> None:
    Path("records/2.json").write_bytes(record("PYSEC-2", named, BEFORE))
    for number, own in enumerate(("zope.interface", "Zope-Interface", "zope_interface")):
        a_venv(Path(f"named{number}"), {own: "1.0"})
        assert findings(command("packages", "audit", "-e", f"named{number}", "--osv", "records", "-o", "json")) == [
            ("zope-interface", "PYSEC-2", "3.1.4")
        ]


def test_a_statement_about_a_part_of_our_own_bill_of_materials_is_understood() -> None:
    bill = json.loads(command("packages", "sbom", "-e", "app").out)
    (part,) = (each for each in bill["components"] if each["name"] == "jinja2")
    link = f"{bill['serialNumber'].replace('urn:uuid:', 'urn:cdx:')}/1#{quote(part['bom-ref'], safe='')}"
    weakness = {"id": "CVE-1", "analysis": {"state": "not_affected", "detail": "not called"}, "affects": [{"ref": link}]}
    vex = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "vulnerabilities": [weakness]}
    assert faults_of_cyclonedx(vex) == []
    Path("vex.cdx.json").write_text(json.dumps(vex))
    assert audit("--vex", "vex.cdx.json").code == 0
    # Together with the bill it is one valid document, as others write it.
    whole = {**bill, "vulnerabilities": [{**weakness, "affects": [{"ref": part["bom-ref"]}]}]}
    assert faults_of_cyclonedx(whole) == []
    Path("vex.cdx.json").write_text(json.dumps(whole))
    assert audit("--vex", "vex.cdx.json").code == 0


def test_an_audit_of_a_host_loads_nothing_that_only_others_need() -> None:
    code = (
        "import sys; from zen_agents.__main__ import main; main(sys.argv[1:]);"
        "sys.exit(repr({'pydantic', 'yaml', 'http.client', 'ssl', 'packageurl', 'concurrent.futures'} & {*sys.modules}))"
    )
    words = ("packages", "audit", "-e", "root", "--debsecan", "feed", "-o", "json")
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stderr.strip(), json.loads(done.stdout)["findings"][0]["name"]) == ("set()", "bash")


def test_answers_are_kept_and_asked_again_when_they_are_too_old(server: OsvServer) -> None:
    server.knows(record("PYSEC-1", "jinja2", BEFORE), "3.1.3")
    assert [audit(osv=server.url).code for _ in range(3)] == [1, 1, 1]
    assert server.asked == ["/v1/querybatch", "/v1/vulns/PYSEC-1"]
    audit("--max-age", "0s", osv=server.url)
    assert server.asked[2:] == ["/v1/querybatch"]


def test_on_a_terminal_it_is_shown_how_far_it_is_and_nothing_of_that_is_left(server: OsvServer) -> None:
    for number in range(3):
        server.knows(record(f"PYSEC-{number}", "jinja2", BEFORE), "3.1.3")
    words = ("packages", "audit", "-e", "app", "--osv", server.url, "--max-age", "0s")
    shown = on_terminal(*words, columns=80, colour=False).text
    bars = [part for part in shown.split("\r") if "100%  reading advisories" in part]
    assert bars[0].startswith("[####")
    assert len(bars[0]) == 77
    assert f"\r{' ' * 77}\r" in shown
    assert "reading" not in on_terminal(*words, "-q", columns=80, colour=False).text
    assert "reading" not in audit(osv=server.url).err


def ignoring(**changes: Any) -> str:
    Path("ignore.yaml").write_text(json.dumps([{"advisory": "CVE-1", "reason": "not reachable", "until": SOON, **changes}]))
    return "ignore.yaml"


def test_what_is_ignored_is_told_with_its_reason_and_counts_again_after_its_day() -> None:
    done = audit("--ignore", ignoring())
    assert done.code == 0
    assert f"ignored until {SOON}: jinja2 PYSEC-1: not reachable" in done.out
    done = audit("--ignore", ignoring(until="2020-01-01"))
    assert done.code == 1
    assert "no longer ignored since 2020-01-01: CVE-1: not reachable" in done.out


def test_a_list_of_what_is_ignored_that_is_not_understood_is_refused() -> None:
    for content in ("- {advisory: CVE-1, until: 2030-01-01}", "[", "7"):
        Path("bad.yaml").write_text(content)
        done = audit("--ignore", "bad.yaml")
        assert (done.code, done.out) == (2, "")
        assert "bad.yaml: " in done.err
    assert audit("--ignore", "nothing-here.yaml").code == 2


def test_what_somebody_says_is_not_affected_is_told_with_the_reason_and_does_not_count() -> None:
    said = {
        "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z",
        "statements": [{
            "vulnerability": {"name": "CVE-1"}, "products": [{"@id": "pkg:pypi/jinja2@3.1.3"}], "status": "not_affected",
            "justification": "vulnerable_code_not_present",
        }],
    }  # fmt: skip
    Path("vex.json").write_text(json.dumps(said))
    done = audit("--vex", "vex.json")
    assert done.code == 0
    assert "not affected by vex.json: jinja2 PYSEC-1: vulnerable_code_not_present" in done.out
    (excused,) = audit("--vex", "vex.json", "-o", "json").json()["excused"]
    assert (excused["advisory"], excused["status"], excused["by"]) == ("PYSEC-1", "not affected", "vex.json")
    Path("app/.venv/lib/python3.11/site-packages/Jinja2-3.1.3.dist-info/METADATA").write_text(
        "Name: Jinja2\nVersion: 3.1.2\n"
    )
    assert audit("--vex", "vex.json").code == 1
    Path("vex.json").write_text("{}")
    for wrong in ("vex.json", "gone.json"):
        done = audit("--vex", wrong)
        assert (done.code, done.out, wrong in done.err) == (2, "", True)


def test_what_is_known_to_be_exploited_is_marked_and_stands_first() -> None:
    Path("records/2.json").write_bytes(record("CVE-2026-2222", "flask", BEFORE))
    Path("exploited.json").write_bytes(catalogue("CVE-2026-2222"))
    done = audit("--exploited", "exploited.json")
    assert done.out.splitlines()[1].split()[:5] == ["flask", "3.0", "CVE-2026-2222", "unknown,", "exploited"]
    assert "asked: " in done.out
    first, second = audit("--exploited", "exploited.json", "-o", "json").json()["findings"]
    assert first["exploited"] == {"since": "2026-01-02", "due": "2026-01-23", "ransomware": True}
    assert second["exploited"] is None
    Path("exploited.json").write_text("garbage")
    done = audit("--exploited", "exploited.json")
    assert done.code == 1
    assert "which weaknesses are known to be exploited stays unknown" in done.err


@pytest.mark.parametrize(("rating", "least", "code"), [
    ("low", "low", 1), ("low", "medium", 0), ("high", "high", 1), ("high", "critical", 0), ("critical", "critical", 1),
    ("", "critical", 1),
])  # fmt: skip
def test_a_weakness_below_what_is_asked_for_is_shown_and_ends_well(rating: str, least: str, code: int) -> None:
    Path("records/1.json").write_bytes(record("CVE-2026-2222", "jinja2", BEFORE, database_specific={"severity": rating}))
    done = audit("--at-least", least)
    assert (done.code, "CVE-2026-2222" in done.out) == (code, True)
    Path("exploited.json").write_bytes(catalogue("CVE-2026-2222"))
    assert audit("--at-least", least, "--exploited", "exploited.json").code == 1


def test_a_registry_of_npm_is_asked_besides() -> None:
    lock = {"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.20"}}}
    Path("app/package-lock.json").write_text(json.dumps(lock))
    with npm_registry() as registry:
        registry.advisories["lodash"] = [advisory(1, "<4.17.21")]
        done = audit("--npm", registry.url, "-o", "json")
    assert ("lodash", "GHSA-0001-aaaa-bbbb", "4.17.21") in findings(done)


def test_code_scanning_gets_findings_what_is_ignored_and_what_is_unknown() -> None:
    Path("records/2.json").write_bytes(record("PYSEC-2", "flask"))
    Path("records/3.json").write_bytes(record("PYSEC-3", "flask", BEFORE))
    Path("records/4.json").write_bytes(record("CVE-2026-2222", "flask", BEFORE))
    Path("exploited.json").write_bytes(catalogue("CVE-2026-2222"))
    done = audit("--ignore", ignoring(), "--exploited", "exploited.json", "-o", "sarif")
    document = json.loads(done.out)
    assert document["version"] == "2.1.0"
    assert faults_of_sarif(document) == []
    (run,) = document["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "PYSEC-2" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    found = {each["ruleId"]: each for each in run["results"]}
    assert found["PYSEC-1"]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": f"not reachable (until {SOON})"}
    ]
    assert (found["PYSEC-1"]["level"], found["PYSEC-3"]["level"]) == ("error", "warning")
    assert "suppressions" not in found["PYSEC-3"]
    assert found["CVE-2026-2222"]["level"] == "error"
    assert found["PYSEC-3"]["message"]["text"] == "flask 3.0 has PYSEC-3; fixed in 3.1.4"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == set(found)
    place = found["PYSEC-3"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == Path("app/.venv").absolute().as_uri()


def test_only_an_audit_has_the_form_of_code_scanning() -> None:
    assert command("packages", "list", "-e", "app", "-o", "sarif").code == 2


def test_a_library_that_is_missing_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> None:
        raise ModuleNotFoundError("No module named 'packaging'", name="packaging")

    monkeypatch.setattr("zen_agents.cli.packages.inventories", missing)
    done = audit()
    assert done.code == 1
    assert "pip install 'zen-agents[packages]'" in done.err
