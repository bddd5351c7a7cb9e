"""Deferred modules: nothing is loaded before its first use, and then everything is there."""

from __future__ import annotations

import subprocess
import sys

from zen_agents.cli.deferred import defer

_ASYNCIO_WITHOUT_TLS = """
import sys
from zen_agents.cli.deferred import TLS, defer
defer(*TLS)
import asyncio

async def ping():
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
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
