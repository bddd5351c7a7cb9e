"""A worker that stays for the next request: a repair asks the same kind several times, and most of each is loading."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

from zen_agents.adapters.bounded_child import BoundedChild, child_process, limit
from zen_agents.adapters.worker_process import MOST_REPLY_BYTES, WorkerError, environment, last_line, run_worker

#: So long one waits for another request (seconds): from a look to the repair, and from there to the look at what came of it.
_STAYS_SECONDS = 5.0
#: After so many answers it has had its time, whatever it has gathered in its memory.
_MOST_ANSWERS: Final = 100
#: A thread waits so much longer for a loop that may have stopped meanwhile (seconds).
_LOOP_SECONDS = 5.0
#: One that has nothing more to do ends within this (seconds), or is killed.
_ENDS_WITHIN_SECONDS = 2.0


class KeptWorker:
    """Runs one kind of worker, which reads a request a line and answers each by a line.

    Whoever asks gets a process to itself for that time; of those that have answered one waits for the next request, and ends
    a few seconds later. One that took too long, or that nobody waits for any more, is killed.
    """

    def __init__(self, module: str, *, memory_bytes: int) -> None:
        self._module, self._memory_bytes = module, memory_bytes
        self._waiting: _Worker | None = None
        #: In which it was asked last.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, request: str, *, timeout_seconds: float) -> str:
        """Return the answer to a request of one line; raises WorkerError."""
        self._loop = asyncio.get_running_loop()
        worker, self._waiting = self._waiting, None
        if worker is None or not worker.may_be_asked():
            worker = _Worker(self._module, self._memory_bytes, cpu_seconds=_MOST_ANSWERS * (int(timeout_seconds) + 1))
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await worker.ask(request)
        except TimeoutError as error:
            await worker.end()
            raise WorkerError(f"{self._module} did not answer within {timeout_seconds:g} s and was killed") from error
        except BaseException:
            await worker.end()
            raise
        self._waiting = worker
        return answer

    def ask_from_thread(self, request: str, *, timeout_seconds: float) -> str:
        """Do the same in a thread that has no loop; where no loop has asked before, by a worker for this request alone."""
        if self._loop is None or not self._loop.is_running():
            once = run_worker(self._module, request, timeout_seconds=timeout_seconds, memory_bytes=self._memory_bytes)
            return asyncio.run(once)
        asked = asyncio.run_coroutine_threadsafe(self.ask(request, timeout_seconds=timeout_seconds), self._loop)
        try:
            return asked.result(timeout_seconds + _LOOP_SECONDS)
        except TimeoutError as error:
            asked.cancel()
            raise WorkerError(f"{self._module} was not asked: the engine is busy or ends") from error


class _Worker:
    """One process, and the task that owns it: whatever ends the task ends the process."""

    def __init__(self, module: str, memory_bytes: int, *, cpu_seconds: int) -> None:
        self._module, self._memory_bytes, self._cpu_seconds = module, memory_bytes, cpu_seconds
        self._loop = asyncio.get_running_loop()
        self._requests: asyncio.Queue[tuple[str, asyncio.Future[str]]] = asyncio.Queue()
        self._child: BoundedChild | None = None
        self._is_over = False
        self._task = self._loop.create_task(self._live())

    def may_be_asked(self) -> bool:
        """Tell whether it waits for a request, in this loop."""
        lives = self._child is not None and _lives(self._child.pid)
        return lives and not self._is_over and self._loop is asyncio.get_running_loop()

    async def ask(self, request: str) -> str:
        answer: asyncio.Future[str] = self._loop.create_future()
        self._requests.put_nowait((request, answer))
        await asyncio.wait((answer, self._task), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise WorkerError(f"{self._module} has ended")
        return answer.result()

    async def end(self) -> None:
        """Kill it, whatever it does."""
        self._is_over = True
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _live(self) -> None:
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-P", "-B", "-m", "zen_agents.workers", str(os.getpid()), self._module]
        try:
            async with child_process(argv, env=environment(), stdin=pipe, stderr=pipe) as child:
                self._child = child
                limit(child.pid, memory_bytes=self._memory_bytes, cpu_seconds=self._cpu_seconds)
                await self._answer_all(child)
                await _let_end(child)
        except OSError as error:
            self._fail(f"could not be started: {error}")

    async def _answer_all(self, child: BoundedChild) -> None:
        for number in range(_MOST_ANSWERS):
            try:
                request, answer = await asyncio.wait_for(self._requests.get(), _STAYS_SECONDS)
            except TimeoutError:
                # One may have come at the very last.
                if self._requests.empty():
                    break
                request, answer = self._requests.get_nowait()
            self._is_over = number + 1 == _MOST_ANSWERS
            try:
                text = await self._answered(child, request)
            except WorkerError as error:
                self._is_over = True
                _settle(answer, error)
                break
            _settle(answer, text)
        self._is_over = True

    async def _answered(self, child: BoundedChild, request: str) -> str:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101 - it was started with pipes
        found = bytearray()
        try:
            child.stdin.write(request.encode() + b"\n")
            await child.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended, and says why by its status
        while not found.endswith(b"\n") and (piece := await child.stdout.read(65536)):
            found += piece
            if len(found) > MOST_REPLY_BYTES:
                raise WorkerError(f"{self._module} answered more than {MOST_REPLY_BYTES} bytes")
        if not found.endswith(b"\n"):
            raise await self._why_ended(child)
        return found.decode("utf-8", "replace")

    async def _why_ended(self, child: BoundedChild) -> WorkerError:
        assert child.stderr is not None  # noqa: S101 - it was started with pipes
        said = await child.stderr.read(65536)
        return WorkerError(f"{self._module} failed with {await child.wait()}: {last_line(said)}")

    def _fail(self, why: str) -> None:
        self._is_over = True
        while not self._requests.empty():
            _settle(self._requests.get_nowait()[1], WorkerError(f"{self._module} {why}"))


def _lives(pid: int) -> bool:
    """Tell whether a child has not ended, as the kernel says it: asyncio hears of it a little later."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:  # it has ended and was waited for
        return False


def _settle(answer: asyncio.Future[str], outcome: str | WorkerError) -> None:
    if answer.done():  # whoever asked does not wait any more
        return
    if isinstance(outcome, str):
        answer.set_result(outcome)
    else:
        answer.set_exception(outcome)


async def _let_end(child: BoundedChild) -> None:
    """Let it end by itself: what its block would have to kill is looked for among all processes."""
    assert child.stdin is not None  # noqa: S101 - it was started with pipes
    child.stdin.close()
    try:
        async with asyncio.timeout(_ENDS_WITHIN_SECONDS):
            await child.wait()
    except TimeoutError:
        return
