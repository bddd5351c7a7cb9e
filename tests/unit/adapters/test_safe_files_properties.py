"""Nothing outside the declared directory is ever touched, whatever lies in it and whoever swaps it meanwhile (R19)."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.changing import changing
from zen_agents.adapters.safe_files import OpenDirectory, open_directory
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

NAMES = st.sampled_from(["a", "b", "c", "log", "log.1", "x y", "-rf", "é", "..."])
#: Where a link may lead: outside, by several ways, or round in circles.
LINKS = ("{out}", "{out}/victim", "{out}/deep", "/", "..", "../..", "../outside/victim", ".", "{top}", "missing")
ENTRIES = st.recursive(
    st.one_of(
        st.just(("file",)), st.just(("hard",)), st.just(("fifo",)), st.tuples(st.just("link"), st.sampled_from(LINKS))
    ),
    lambda inner: st.tuples(st.just("dir"), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
TREES = st.dictionaries(NAMES, ENTRIES, max_size=5)
OPERATIONS = ("remove", "rename", "truncate", "copy_out", "compress", "quarantine", "set_mode", "remove_directory", "create")
SWAPS = ("none", "link to outside", "hard link", "parent to link", "another file")
STEPS = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(SWAPS), st.integers(0, 30)), max_size=6)


def build(directory: Path, tree: dict[str, tuple[object, ...]], *, out: Path, top: Path) -> None:
    for name, entry in tree.items():
        path = directory / name
        if entry[0] == "file":
            path.write_text("inside")
        elif entry[0] == "hard":
            os.link(out / "victim", path)
        elif entry[0] == "fifo":
            os.mkfifo(path)
        elif entry[0] == "link":
            path.symlink_to(str(entry[1]).format(out=out, top=top))
        else:
            path.mkdir()
            build(path, entry[1], out=out, top=top)  # type: ignore[arg-type]


def snapshot(out: Path) -> dict[str, object]:
    """Return everything about the outside but the number of links, which a hard link made inside raises."""
    found: dict[str, object] = {}
    for path in [out, *sorted(out.rglob("*"))]:
        state = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (state.st_mode, state.st_uid, state.st_gid, state.st_ino, state.st_mtime_ns, content)
    return found


def swap(kind: str, state: FileState, *, out: Path, top: Path) -> None:
    path = Path(state.path)
    with contextlib.suppress(OSError):
        if kind == "parent to link" and path.parent != top:
            path.parent.rename(path.parent.with_name(f"moved-{path.parent.name}"))
            path.parent.symlink_to(out)
        elif kind in ("link to outside", "hard link", "another file"):
            path.rename(path.with_name(f"moved-{path.name}"))
            # Renaming one hard link to another of the same file leaves both.
            path.unlink(missing_ok=True)
            if kind == "link to outside":
                path.symlink_to(out / "victim")
            elif kind == "hard link":
                os.link(out / "victim", path)
            else:
                path.write_text("fresh")


def operate(directory: OpenDirectory, name: str, state: FileState) -> None:
    uid, gid = os.geteuid(), os.getegid()
    operations: dict[str, Callable[[], object]] = {
        "remove": lambda: directory.remove(state),
        "rename": lambda: directory.rename(state, "renamed"),
        "truncate": lambda: directory.truncate(state),
        "copy_out": lambda: directory.copy_out(state, "copied"),
        "compress": lambda: directory.compress(state),
        "quarantine": lambda: directory.quarantine(state, action="test"),
        "set_mode": lambda: directory.set_mode_and_owner(state, mode=0o777, owner=uid, group=gid),
        "remove_directory": lambda: directory.remove_directory(state),
        "create": lambda: directory.create_directory(state.path.rpartition("/")[2], mode=0o777, owner=uid, group=gid),
    }
    operations[name]()


def all_seen(directory: OpenDirectory, stack: contextlib.ExitStack) -> list[tuple[OpenDirectory, FileState]]:
    found = []
    for state in directory.entries():
        found.append((directory, state))
        if state.kind == "directory":
            with contextlib.suppress(UnsafePathError, StalePlanError):
                inner = stack.enter_context(directory.enter(state.path.rpartition("/")[2]))
                found += all_seen(inner, stack)
    return found


@settings(max_examples=150, deadline=None)
@given(tree=TREES, steps=STEPS)
def test_nothing_outside_the_declared_directory_is_touched(
    tree: dict[str, tuple[object, ...]], steps: list[tuple[str, str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        base = Path(temporary)
        here, out, top = changing(base), base / "outside", base / "top"
        (out / "deep").mkdir(parents=True)
        (out / "victim").write_text("precious")
        (out / "deep" / "victim").write_text("precious too")
        top.mkdir()
        build(top, tree, out=out, top=top)
        before = snapshot(out)
        handle = stack.enter_context(open_directory(str(top), go_on=lambda: None, quarantine=here.controls.quarantine))
        seen = all_seen(handle, stack)
        for name, kind, number in steps:
            if not seen:
                break
            directory, state = seen[number % len(seen)]
            swap(kind, state, out=out, top=top)
            with contextlib.suppress(UnsafePathError, StalePlanError, HostError):
                operate(directory, name, state)
        assert snapshot(out) == before
        assert {path.name for path in base.iterdir()} == {"state", "outside", "top"}
        assert not list(top.rglob(".zen-agents-*"))
