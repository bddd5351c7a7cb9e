"""A configuration that was read once is not read again: thousands of lives start from the same few texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from zen_agents.settings.apart import load_lean
from zen_agents.settings.loader import Loaded

#: Texts that are remembered: a life has four at most, and half of all lives have the same.
_MOST = 64


@contextmanager
def remembered() -> Iterator[None]:
    """Let an engine have what came of the same files, flags and environment before; nothing changes what was loaded."""
    with mock.patch("zen_agents.wiring.options.load_lean", _load):
        yield


def _load(paths: Sequence[Path], environ: Mapping[str, str], *, flags: Mapping[str, Any]) -> Loaded:
    files = tuple((path, path.read_text(encoding="utf-8")) for path in paths)
    return _loaded(files, tuple(sorted(environ.items())), tuple(sorted(flags.items())))


@lru_cache(maxsize=_MOST)
def _loaded(
    files: tuple[tuple[Path, str], ...], environ: tuple[tuple[str, str], ...], flags: tuple[tuple[str, Any], ...]
) -> Loaded:
    return load_lean([path for path, _ in files], dict(environ), flags=dict(flags))
