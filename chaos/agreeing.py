"""The operator of a run whose configuration asks people first: agrees to each question, as a quick one would."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from types import TracebackType

from chaos.engines.base import Contender
from chaos.host import DisposableHost
from chaos.mail import arriving

#: How long it takes to hear that all is over.
_WAITS_SECONDS = 0.1
#: A question about which no mail came, because alerting is down or it is the second one, is seen by then.
_LOOKS_EVERY_SECONDS = 3.0


class Agreeing:
    """Answers each mail that asks by the command that stands in it, as soon as it is there; a thread of its own."""

    def __init__(self, contender: Contender, host: DisposableHost) -> None:
        self._contender, self._host = contender, host
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="operator", daemon=True)

    def __enter__(self) -> Agreeing:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _serve(self) -> None:
        looked_at = time.monotonic()
        with self._contender.seated(), arriving(self._host) as take:
            while not self._over.is_set():
                for mail in take(_WAITS_SECONDS):
                    if mail.asks:
                        self._contender.approve(mail.asks)
                if time.monotonic() - looked_at >= _LOOKS_EVERY_SECONDS:
                    self._look()
                    looked_at = time.monotonic()

    def _look(self) -> None:
        # An engine that was killed answers again when it is back.
        with contextlib.suppress(subprocess.CalledProcessError):
            for question in self._contender.questions():
                self._contender.approve(question)
