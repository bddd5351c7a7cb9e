"""A Tab in a real shell offers commands, flags, their values and the ids there are, at once or not at all."""

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import HOSTILE, WrittenState, a_repair, command
from tests.support.engine_process import REPOSITORY
from tests.support.readable import readable
from zen_agents.cli import completion
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.store import BreakerRow

#: As bash needs it typed, so that it is one word.
BREAKER = r"restart_service\|service\:web"
BASH = shutil.which("bash") or ""
needs = {name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed") for name in ("zsh", "fish")}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> WrittenState:
    """Return a state in which something happened, and something has a name that a shell would obey."""
    written = WrittenState(tmp_path_factory.mktemp("completion") / "state")
    a_repair(written)
    written.incident("inc-bbbb22", written.ago(30), opened_at=written.ago(30), detail=f"$(touch owned) `id` {HOSTILE}")
    at = written.ago(30)
    targets = ("service:web", "path:uploads", "disk:/srv", "service:$(touch owned)")
    written.store.record_observations(Observation("up", target, Status.OK, at) for target in targets)
    written.store.save_breaker(
        BreakerRow("restart_service|service:web", "open", failures=4, successes=0, opened_at=at.steady)
    )
    written.store.commit()
    return written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with the program on its path, and the three scripts."""
    made = tmp_path_factory.mktemp("shells")
    program = made / "zen-agents"
    # Which ids are offered does not depend on how busy this machine is.
    patient = "from zen_agents.cli import completion, main\ncompletion.ANSWER_WITHIN = 60.0\nsys.exit(main.main())\n"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.path[0] = {str(REPOSITORY)!r}\n{patient}", encoding="utf-8")
    program.chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        (made / f"script.{shell}").write_text(command("completion", shell).out, encoding="utf-8")
    yield made


def environment(folder: Path, state: WrittenState) -> dict[str, str]:
    return {"PATH": f"{folder}:/usr/bin:/bin", "ZEN_AGENTS_STATE_DIR": str(state.path), "HOME": str(folder), "TERM": "dumb"}


def offered(folder: Path, state: WrittenState, *words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
        source {folder}/script.bash
        compopt() {{ :; }}    # only within a real completion
        COMP_WORDS=(zen-agents {quoted}); COMP_CWORD={len(words)}
        _zen_agents
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [BASH, "--norc", "-c", script], env=environment(folder, state), cwd=folder, capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "some", "never"),
    [
        (("",), {"status", "why", "undo"}, {"--yes"}),
        (("st",), {"status", "stop"}, {"why"}),
        (("--y",), {"--yes"}, {"status"}),
        (("status", "--w"), {"--wait"}, {"--yes"}),
        (("status", "--wait", ""), {"healthy", "running"}, {"status"}),
        (("-o", ""), {"json", "table"}, {"status"}),
        (("--reason", ""), set(), {"status"}),
        (("safe-mode", ""), {"on", "off"}, {"status"}),
        (("--reason", "status", "un"), {"undo"}, {"status"}),
        (("why", "inc-"), {"inc-aaaa11", "inc-bbbb22"}, {"act-aaaa11"}),
        (("why", ""), {"inc-bbbb22", "act-aaaa11", "dec-aaaa11"}, {"status"}),
        (("undo", "act-a"), {"act-aaaa11"}, {"inc-aaaa11"}),
        (("actions", ""), {"show", "act-aaaa11"}, {"inc-aaaa11"}),
        (("actions", "--incident", "inc-b"), {"inc-bbbb22"}, {"inc-aaaa11"}),
        (("pause", ""), {"web", "uploads", "system_health"}, {"/srv", "owned)", "service:web"}),
        (("act", ""), {"restart_service", "web"}, {"act-aaaa11"}),
        (("act", "restart_service", "w"), {"web"}, {"uploads"}),
        (("explain", "co"), {"cooldown", "config", "codes"}, {"web"}),
        (("explain", "graph", "w"), {"web"}, {"graph"}),
        (("breaker", ""), {"list", "reset", BREAKER}, {"restart_service|service:web"}),
        (("breaker", "reset", "rest"), {BREAKER}, {"web"}),
        (("breaker", "reset", "restart_service\\|serv"), {BREAKER}, {"web"}),
        (("breaker", "reset", '"restart_service|serv'), {"restart_service|service:web"}, {BREAKER}),
        (("lint", "script.b"), {"script.bash"}, {"script.zsh"}),
        (("test", "rules", "script."), {"script.bash", "script.fish"}, {"web"}),
        (("report", "--out", "script.z"), {"script.zsh"}, {"script.bash"}),
        (("nothing-like-it", ""), set(), {"status"}),
    ],
)
def test_bash_offers_what_fits_there(
    folder: Path, state: WrittenState, words: tuple[str, ...], some: set[str], never: set[str]
) -> None:
    found = set(offered(folder, state, *words))
    assert some <= found
    assert not never & found
    assert bool(found) is bool(some)
    assert not (folder / "owned").exists()


def test_bash_completes_at_a_tab_of_a_person(folder: Path, state: WrittenState) -> None:
    """A whole interactive bash on a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(BASH, [BASH, "--norc", "--noprofile", "-i"], environment(folder, state))
    try:
        os.write(terminal, f"PS1='ready> '; source {folder}/script.bash\n".encode())
        read_until(terminal, "ready> ", after="script.bash")
        os.write(terminal, b"zen-agents why inc-aa\t\n")
        assert "What happens next: nothing, it is over." in read_until(terminal, "it is over.")
        # Back to the beginning of the line, so that the shell says what it takes the completed words for.
        os.write(terminal, b"zen-agents breaker reset rest\t\x01printf '<%s>' \n")
        assert "<reset><restart_service|service:web>" in read_until(terminal, ":web>")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def read_until(terminal: int, wanted: str, *, after: str = "") -> str:
    """Return what a terminal shows until a text is there, behind another one."""
    seen, ends = "", time.monotonic() + 60
    while wanted not in seen.partition(after)[2] if after else wanted not in seen:
        assert time.monotonic() < ends, seen
        if readable(terminal, 0.2):
            seen += os.read(terminal, 65536).decode("utf-8", "replace")
    return seen


@needs["zsh"]
def test_zsh_takes_the_script_and_offers_ids_with_what_they_are_about(folder: Path, state: WrittenState) -> None:
    script = f"""
        autoload -Uz compinit && compinit -u -d {folder}/dump
        source {folder}/script.zsh
        _describe() {{ print -rl -- "${{(@P)@[-1]}}" }}
        compadd() {{ print -rl -- "$@" }}
        words=(zen-agents why ''); CURRENT=3; _zen_agents
        words=(zen-agents status --wait ''); CURRENT=4; _zen_agents
        words=(zen-agents ''); CURRENT=2; _zen_agents
        words=(zen-agents breaker reset ''); CURRENT=4; _zen_agents
        words=(zen-agents pause ''); CURRENT=3; _zen_agents
    """
    done = subprocess.run(
        ["zsh", "-f", "-c", script], env=environment(folder, state), capture_output=True, text=True, timeout=60, cwd=folder,
        stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert "act-aaaa11:restart_service service:web verified" in lines
    assert "healthy" in lines
    # `_describe` takes the first colon that is not escaped for the end of the word.
    assert r"restart_service|service\:web:open, 4 failures" in lines
    assert "web:service" in lines
    assert any(line.startswith("undo:take back") for line in lines)
    assert not (folder / "owned").exists()


@needs["fish"]
def test_fish_offers_what_fits_there(folder: Path, state: WrittenState) -> None:
    def complete(line: str) -> dict[str, str]:
        script = f"source {folder}/script.fish; complete -C '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script], env=environment(folder, state), cwd=folder, capture_output=True,
            text=True, timeout=60, stdin=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return dict(text.partition("\t")[::2] for text in done.stdout.splitlines())

    assert complete("zen-agents sta") == {"status": "is it still broken, what was done, what comes next"}
    assert complete("zen-agents undo act-")["act-aaaa11"] == "restart_service service:web verified"
    assert complete("zen-agents breaker reset restart_")["restart_service|service:web"] == "open, 4 failures"
    assert complete("zen-agents pause upl") == {"uploads": "path"}
    assert "script.bash" in complete("zen-agents lint script.b")
    assert set(complete("zen-agents status --wait ")) == {"healthy", "running"}
    assert "--yes" in complete("zen-agents undo --")
    assert not (folder / "owned").exists()


def test_ids_are_nothing_where_there_is_nothing_and_one_line_each_where_there_is(
    state: WrittenState, tmp_path: Path
) -> None:
    assert command("completion", "ids", "inc", "--state-dir", str(tmp_path / "none")).out == ""
    lines = command("completion", "ids", "inc", "apr", "--state-dir", str(state.path)).out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["inc-bbbb22", "inc-aaaa11"]
    assert all(line.replace("\t", "").isprintable() for line in lines)


def test_a_state_that_does_not_answer_in_time_is_no_answer(state: WrittenState, folder: Path, tmp_path: Path) -> None:
    late = "import time, sys\nfrom zen_agents.cli import call, completion, main\n"
    late += "call.Call.store = lambda self: time.sleep(60)\nsys.exit(main.main(['completion', 'ids', 'inc']))\n"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", late], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode < 0) == ("", True)
    assert time.monotonic() - began < 50
    assert completion.ANSWER_WITHIN == 0.2


@pytest.mark.parametrize("words", [("ids", "xyz"), ("bash", "inc"), ("tcsh",)])
def test_what_is_not_understood_is_told(words: tuple[str, ...]) -> None:
    done = command("completion", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
