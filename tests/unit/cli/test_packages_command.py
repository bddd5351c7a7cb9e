"""`packages`: what people and programs are told of environments, whole and broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.engine_process import REPOSITORY
from tests.support.environments import a_dpkg_root, a_venv, installed


@pytest.fixture(autouse=True)
def _environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a_dpkg_root(Path("root"), installed("libc6", "2.36-9", more="Source: glibc\n"))
    a_venv(Path("app/.venv"), {"Flask": "3.0", "jinja2": "3.1"})


def test_programs_get_every_package_with_where_it_is() -> None:
    done = command("packages", "list", "-e", "root", "-e", "app", "-o", "json")
    assert done.code == 0
    body = done.json()
    assert [(each["name"], each["version"], each["ecosystem"]) for each in body["items"]] == [
        ("libc6", "2.36-9", "debian"), ("flask", "3.0", "pypi"), ("jinja2", "3.1", "pypi"),
    ]  # fmt: skip
    assert body["items"][0]["purl"] == "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=bookworm"
    assert [(each["environment"], each["packages"]) for each in body["environments"]] == [
        (str(Path("root").absolute()), 1), (str(Path("app/.venv").absolute()), 2),
    ]  # fmt: skip
    assert command("packages", "list", "-e", "app", "-o", "name").out == "flask\njinja2\n"
    assert len(command("packages", "list", "-e", "app", "-o", "jsonl").out.splitlines()) == 2
    picked = json.loads(command("packages", "list", "-e", "app", "--json=name,version").out)
    assert picked["items"][0] == {"name": "flask", "version": "3.0"}


def test_people_see_tables_and_each_environment_once() -> None:
    done = command("packages", "list", "-e", "app", "-e", "root", "-e", "app/.venv")
    assert done.code == 0
    assert done.out.count("2 packages (pypi)") == 1
    assert "libc6  2.36-9   amd64  glibc" in done.out
    assert command("packages", "list", "-e", "app", "-q").out == f"{Path('app/.venv').absolute()}: 2 packages (pypi)\n"


def test_what_could_not_be_read_is_said_beside_the_answer_which_is_not_complete() -> None:
    Path("app/.venv/bin/python").unlink()
    Path("app/package-lock.json").write_text("{")
    done = command("packages", "list", "-e", "app", "-o", "json")
    assert done.code == 1
    assert [problem["line"] for each in done.json()["environments"] for problem in each["problems"]] == [0, 1]
    assert done.err.count("\n") == 2
    assert "bin/python is gone or was moved" in done.err
    assert "2 packages (pypi), not complete" in command("packages", "list", "-e", "app").out


def test_many_problems_are_not_a_flood() -> None:
    Path("requirements.txt").write_text("".join(f"lib{number}\n" for number in range(30)))
    done = command("packages", "list", "-e", "requirements.txt")
    assert (done.code, done.err.count("\n")) == (1, 21)
    assert done.err.endswith("and 10 more; -o json has all\n")


@pytest.mark.parametrize("form", [(), ("-o", "json")])
def test_a_bill_of_materials_is_cyclonedx_and_nothing_around_it(form: tuple[str, ...]) -> None:
    done = command("packages", "sbom", "-e", "app", *form)
    bill = json.loads(done.out)
    assert (done.code, bill["bomFormat"], bill["specVersion"]) == (0, "CycloneDX", "1.6")
    assert [each["purl"] for each in bill["components"] if "purl" in each] == ["pkg:pypi/flask@3.0", "pkg:pypi/jinja2@3.1"]


@pytest.mark.parametrize("form", [("-o", "yaml"), ("-o", "name"), ("--json=components",)])
def test_a_bill_of_materials_has_no_other_form(form: tuple[str, ...]) -> None:
    done = command("packages", "sbom", "-e", "app", *form)
    assert done.code == 2
    assert "one document of CycloneDX" in done.err


def test_names_that_a_terminal_would_obey_are_only_text() -> None:
    Path("package-lock.json").write_text(
        json.dumps({"lockfileVersion": 3, "packages": {"node_modules/a\x1b[31m": {"version": "1\x07"}}})
    )
    done = command("packages", "list", "-e", "package-lock.json")
    assert "\x1b" not in done.out + done.err
    assert "\x07" not in done.out


def test_an_environment_is_listed_without_the_libraries_that_locks_need() -> None:
    code = (
        "import sys; sys.modules['packaging'] = None\nfrom zen_agents.cli.main import main\n"
        "assert main(['packages', 'list', '-q', '-e', sys.argv[1]]) == 0\n"
        "sys.exit(main(['packages', 'list', '-e', sys.argv[2]]))"
    )
    Path("requirements.txt").write_text("flask==3.0\n")
    words = [str(Path(name).absolute()) for name in ("app", "requirements.txt")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.count("2 packages")) == (1, 1)
    assert done.stderr.endswith("which this needs: pip install 'zen-agents[packages]'\n")
