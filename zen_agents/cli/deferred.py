"""Modules of the standard library that libraries import and the engine may never use.

Some are loaded at their first use instead. Others are only asked for while a library is imported: where plug-ins of it
might be installed, or which error a pool of processes has. What is merely installed has no business in the engine's process,
so for that while the answer is: none.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

#: TLS is needed only for pages asked for over https, processes of a pool never, compression for archives of logs and copies.
AT_FIRST_USE = ("ssl", "asyncio.sslproto", "multiprocessing", "bz2", "gzip", "lzma")

#: Where time zones are looked for unless an interpreter was built otherwise; to ask that costs its whole Makefile, 0.4 MB.
_ZONES, _ZONE_PATH = "/usr/share/zoneinfo", "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"


#: Where the interpreter keeps its own SHA-256; some builds leave it out.
_OWN_SHA256 = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


class _NotFoundError(ModuleNotFoundError):
    pass


def _no_version(name: str) -> str:
    raise _NotFoundError(name)


def _no_plugins(**_: str) -> tuple[()]:
    return ()


#: What stands in for a module while libraries are imported: all that they ask of it then.
_STAND_INS: Mapping[str, Mapping[str, Any]] = {
    "importlib.metadata": {
        "entry_points": _no_plugins, "version": _no_version, "PackageNotFoundError": _NotFoundError,
    },
    "concurrent.futures.process": {"BrokenProcessPool": type("BrokenProcessPool", (RuntimeError,), {})},
    **({"sysconfig": {"get_config_var": {"TZPATH": _ZONE_PATH}.get}} if Path(_ZONES).is_dir() else {}),
}  # fmt: skip


@contextlib.contextmanager
def own_hashes() -> Iterator[None]:
    """Let hashlib, if it is imported within, have the interpreter's own code instead of OpenSSL's.

    That is the largest thing the engine would load, and it hashes a few entries a second; whoever verifies a whole ledger
    does so in another process.
    """
    if "hashlib" in sys.modules or "_hashlib" in sys.modules or importlib.util.find_spec(_OWN_SHA256) is None:
        yield
        return
    # What an interpreter without OpenSSL has there.
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["_hashlib"]


@contextlib.contextmanager
def without_plugins() -> Iterator[None]:
    """Let nothing that is merely installed be found by the libraries that are imported within."""
    here = {name: attributes for name, attributes in _STAND_INS.items() if name not in sys.modules}
    for name, attributes in here.items():
        stand_in = sys.modules[name] = ModuleType(name)
        stand_in.__dict__.update(attributes)
    try:
        yield
        if pydantic := sys.modules.get("pydantic"):
            # It looks for its plug-ins when it makes its first validator, and never again.
            pydantic.TypeAdapter(bool)
    finally:
        # From here on whoever asks gets the real one.
        for name in here:
            del sys.modules[name]
