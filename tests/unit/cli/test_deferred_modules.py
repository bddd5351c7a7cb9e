"""Deferred modules: nothing is loaded before its first use, and then everything is there."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import subprocess
import sys
from pathlib import Path

from zen_agents.cli.deferred import without_plugins
from zen_agents.deferred import defer

_ASYNCIO_WITHOUT_TLS = """
import sys
from zen_agents.cli.deferred import AT_FIRST_USE
from zen_agents.deferred import defer
defer(*AT_FIRST_USE)
import asyncio, socket

async def ping():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    with socket.socket() as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, server.sockets[0].getsockname())
        assert await loop.sock_recv(sock, 1) == b""
    server.close()

asyncio.run(ping())
assert "_ssl" not in sys.modules, "asyncio loaded it"
import inspect, warnings
inspect.getmodule(ping)
assert "_ssl" not in sys.modules, "looking around loaded it"

import ssl
assert isinstance(ssl.create_default_context(), asyncio.base_events.ssl.SSLContext)
assert "_ssl" in sys.modules
assert sys.modules["ssl"].SSLContext is ssl.SSLContext
assert asyncio.base_events.ssl.SSLSocket is ssl.SSLSocket and issubclass(ssl.SSLSocket, socket.socket)
assert asyncio.base_events.sslproto.SSLProtocol.__module__ == "asyncio.sslproto"
"""


def test_asyncio_serves_without_tls_and_tls_is_whole_once_it_is_used():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _ASYNCIO_WITHOUT_TLS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_module_that_is_loaded_already_stays_as_it_is():
    before = sys.modules["json"]
    defer("json")
    assert sys.modules["json"] is before


_LIBRARIES = """
import sys
from zen_agents.cli.deferred import AT_FIRST_USE, without_plugins
from zen_agents.deferred import defer
defer(*AT_FIRST_USE)
with without_plugins():
    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from pydantic import BaseModel

    class Model(BaseModel):
        number: int

assert Model.model_validate({"number": "3"}).number == 3
assert "importlib.metadata" not in sys.modules and "concurrent.futures.process" not in sys.modules
assert AsyncIOScheduler._trigger_plugins == {}

import zoneinfo
from datetime import datetime
assert datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).utcoffset().total_seconds() == 7200
assert "sysconfig" not in sys.modules or hasattr(sys.modules["sysconfig"], "get_paths")
import sysconfig
assert sysconfig.get_config_var("TZPATH")

from importlib.metadata import PackageNotFoundError, distribution
assert distribution("pydantic").metadata["Name"] == "pydantic"
try:
    distribution("there-is-no-such-package")
except PackageNotFoundError:
    pass
from concurrent.futures import ProcessPoolExecutor
import multiprocessing
assert multiprocessing.current_process().name == "MainProcess"
"""


def test_libraries_find_no_plugins_and_afterwards_everything_is_real():
    done = subprocess.run([sys.executable, "-W", "error", "-c", _LIBRARIES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_loaded_already_is_not_replaced():
    importlib.import_module("importlib.metadata")
    before = sys.modules["importlib.metadata"]
    with without_plugins():
        assert sys.modules["importlib.metadata"] is before
    assert sys.modules["importlib.metadata"] is before


_HASHES = """
import sys
from zen_agents.cli.deferred import own_hashes
with own_hashes():
    import hashlib, hmac, secrets
assert hashlib.sha256(b"zen").hexdigest() == EXPECTED
assert secrets.compare_digest(b"a", b"a") and len(secrets.token_hex(8)) == 16
assert hmac.new(b"k", b"m", "sha256").hexdigest() == MAC
assert "_hashlib" not in sys.modules
import ssl
assert "_ssl" in sys.modules and ssl.create_default_context()
"""


def test_the_interpreters_own_hashes_are_the_same():
    code = _HASHES.replace("EXPECTED", repr(hashlib.sha256(b"zen").hexdigest()))
    code = code.replace("MAC", repr(hmac.new(b"k", b"m", "sha256").hexdigest()))
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


_COMPRESSION = """
import sys
from zen_agents.cli.deferred import AT_FIRST_USE
from zen_agents.deferred import defer
defer(*AT_FIRST_USE)
import bz2, gzip, lzma, shutil
assert not {"_bz2", "_lzma"} & set(sys.modules), "shutil loaded them"
for made in (bz2, gzip, lzma):
    assert made.decompress(made.compress(b"zen")) == b"zen"
try:
    lzma.decompress(b"no archive")
except lzma.LZMAError:
    pass
with open(sys.argv[1] + ".gz", "wb") as file, gzip.GzipFile("", "wb", fileobj=file) as out:
    out.write(b"zen")
assert isinstance(gzip.open(sys.argv[1] + ".gz"), gzip.GzipFile)
"""


def test_compression_is_whole_once_it_is_used(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", _COMPRESSION, str(tmp_path / "made")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
