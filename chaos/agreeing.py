"""The operator of a run whose configuration asks people first: agrees to each question within seconds, as one would."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from types import TracebackType

from chaos.engines.base import Contender
from chaos.host import DisposableHost
from chaos.mail import mails

_MAIL_EVERY_SECONDS = 0.1
#: A question about which no message came, because alerting is down or it is the second one, is seen by then.
_LOOKS_EVERY_SECONDS = 3.0


class Agreeing:
    """Reads mail and says yes, from a thread of its own for as long as it is entered."""

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
        read, waited = 0, 0.0
        while not self._over.wait(_MAIL_EVERY_SECONDS):
            waited += _MAIL_EVERY_SECONDS
            if (count := len(mails(self._host))) == read and waited < _LOOKS_EVERY_SECONDS:
                continue
            read, waited = count, 0.0
            # An engine that was killed answers again when it is back.
            with contextlib.suppress(subprocess.CalledProcessError):
                for question in self._contender.questions():
                    self._contender.approve(question)
