"""What the C library is asked about memory is taken where it knows it, and no error where it does not."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from zen_agents.adapters.allocator import allocate_in_one_place, give_back_what_is_free


def _resident_kib() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_what_is_free_in_the_middle_of_the_heap_is_given_back() -> None:
    # Each too small to be mapped by itself, and every other one kept, so that the heap cannot end before them.
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    pieces = [libc.malloc(64 * 1024) for _ in range(512)]
    for piece in pieces:
        ctypes.memset(piece, 1, 64 * 1024)
    for piece in pieces[::2]:
        libc.free(piece)
    before = _resident_kib()
    give_back_what_is_free()
    assert _resident_kib() < before - 8 * 1024
    for piece in pieces[1::2]:
        libc.free(piece)


def test_a_library_that_knows_neither_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    allocate_in_one_place()
    give_back_what_is_free()
