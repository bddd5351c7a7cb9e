"""Runs a monitoring plugin: its own session, another account, a clean environment, no way to more rights, and limits."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import Process

from zen_agents.adapters.bounded_child import child_process, limits
from zen_agents.adapters.launcher import PATH, Account, account_of, only_root_may_write
from zen_agents.errors import HostError
from zen_agents.model.plugin import PluginAnswer, plugin_answer
from zen_agents.ports.host_plugins import PluginCall

_MOST_BYTES = 16 * 1024
_MEMORY_BYTES = 512 * 2**20


async def run_plugin(call: PluginCall, turns: asyncio.Semaphore) -> PluginAnswer:
    """Run it, once it is its turn; see `PluginView.plugin`."""
    async with turns:
        account = account_of(call.user)
        if os.geteuid() == 0:
            only_root_may_write(call.argv[0], PATH)
        return await _answer(call, account)


async def _answer(call: PluginCall, account: Account) -> PluginAnswer:
    environment = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/nonexistent", "USER": account.name}
    argv = [*_within_limits(call), *_with_no_more_rights(account), *call.argv]
    quiet = asyncio.subprocess.DEVNULL
    try:
        async with child_process(argv, env=environment, stdin=quiet, stderr=quiet, umask=0o077) as child:
            output, status = await _in_time(call, child)
    except OSError as error:
        raise HostError(f"{call.argv[0]} cannot be run: {error.strerror}") from error
    if status < 0:
        raise HostError(f"{call.argv[0]} was ended by signal {-status}")
    return plugin_answer(status, output.decode("utf-8", "replace"))


async def _in_time(call: PluginCall, child: Process) -> tuple[bytes, int]:
    try:
        async with asyncio.timeout(call.timeout_seconds):
            return await _read(child), await child.wait()
    except TimeoutError:
        raise HostError(f"{call.argv[0]} did not end within {call.timeout_seconds:g} s and was killed") from None


def _within_limits(call: PluginCall) -> list[str]:
    """Return what sets its limits while it still is who we are: later that takes a right that few engines have."""
    wanted = limits(memory_bytes=_MEMORY_BYTES, cpu_seconds=int(call.timeout_seconds) + 1)
    return [_program("prlimit"), *(f"--{name}={most}" for name, most in wanted.items()), "--"]


def _with_no_more_rights(account: Account) -> list[str]:
    """Return what makes it the account, without groups or capabilities, and keeps setuid programs from helping it."""
    as_account = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", "--inh-caps=-all"]
    return [_program("setpriv"), "--no-new-privs", *(as_account if os.geteuid() == 0 else ()), "--"]


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin")
    if found is None:
        raise HostError(f"{name} (package util-linux) is needed to run a plugin")
    return found


async def _read(child: Process) -> bytes:
    """Return the beginning of what it writes, once it has written all; the rest is read and dropped, so it never hangs."""
    found = b""
    while child.stdout is not None and (piece := await child.stdout.read(65536)):
        found = (found + piece)[:_MOST_BYTES]
    return found
