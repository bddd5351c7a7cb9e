"""What the C library is asked about memory is taken where it knows it, and no error where it does not."""

from __future__ import annotations

import ctypes
import mmap
import re
from pathlib import Path

import pytest

from zen_agents.adapters.allocator import allocate_in_one_place, give_back_what_is_free, let_go_of_programs


def _resident_kib(kind: str = "RssAnon") -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_what_is_free_in_the_middle_of_the_heap_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    # Each too small to be mapped by itself, and every other one kept, so that the heap cannot end before them.
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    pieces = [libc.malloc(64 * 1024) for _ in range(512)]
    for piece in pieces:
        ctypes.memset(piece, 1, 64 * 1024)
    for piece in pieces[::2]:
        libc.free(piece)
    before = _resident_kib()
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    give_back_what_is_free()
    assert _resident_kib() > before - 1024, "a huge page would be broken up"
    monkeypatch.delenv("GLIBC_TUNABLES")
    give_back_what_is_free()
    assert _resident_kib() < before - 8 * 1024
    for piece in pieces[1::2]:
        libc.free(piece)


def test_a_library_that_knows_neither_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class OfAnotherKind:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            raise AttributeError(name)

    monkeypatch.setattr(ctypes, "CDLL", lambda _: OfAnotherKind())
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    allocate_in_one_place()
    give_back_what_is_free()
    assert asked == ["mallopt", "malloc_trim"]


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_a_kernel_that_does_not_tell_what_is_mapped_has_all_of_it_kept(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    def refused(*_: object) -> str:
        raise error("/proc/self/smaps")

    before = _resident_kib("RssFile")
    monkeypatch.setattr(Path, "read_text", refused)
    let_go_of_programs()
    monkeypatch.undo()
    assert _resident_kib("RssFile") > before - 1024


def test_code_that_is_not_used_is_let_go_of_and_what_is_used_goes_on() -> None:
    seen = re.compile("[a-z]+ (?P<number>[0-9]+)").fullmatch("number 17")
    before = _resident_kib("RssFile")
    let_go_of_programs()
    assert _resident_kib("RssFile") < before - 1024
    assert seen is not None
    assert int(seen["number"]) == 17


def test_what_was_written_to_a_mapping_of_a_file_is_kept(tmp_path: Path) -> None:
    """As the linker does with tables of a library that it makes read-only afterwards."""
    file = tmp_path / "library"
    file.write_bytes(b"of the file" + bytes(8192))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype, libc.mmap.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long],
    )
    with file.open("rb") as opened:
        address = libc.mmap(None, 4096, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, opened.fileno(), 0)
    ctypes.memmove(address, b"relocated  ", 11)
    try:
        assert libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), mmap.PROT_READ) == 0
        let_go_of_programs()
        assert ctypes.string_at(address, 11) == b"relocated  "
    finally:
        libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096))
