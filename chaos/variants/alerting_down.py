"""Nobody takes mail for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chaos.engines.base import Contender
from chaos.host import DisposableHost
from chaos.kinds import VariantKind
from chaos.mail import refuse_mail, refused_mails, take_mail
from chaos.scenario import Expectation
from chaos.variants.base import Variant
from chaos.waiting import NotInTimeError, wait_until

#: After a refusal it is tried again with growing waits.
_TRIED_AGAIN_WITHIN = timedelta(seconds=30)


class AlertingDown(Variant):
    """The mail server refuses all until it has refused the first message, then takes them again."""

    name = "alerting_down"
    kind = VariantKind.ALERTING_DOWN
    right_answer = "as without it, and each message arrives once, as soon as somebody takes it"

    def __init__(self) -> None:
        self._expected: Expectation | None = None

    def expectation(self, expected: Expectation) -> Expectation:
        self._expected = expected
        return expected.model_copy(update={"within": expected.within + _TRIED_AGAIN_WITHIN}) if expected.pages else expected

    def before(self, host: DisposableHost) -> None:
        refuse_mail(host)

    def meanwhile(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        if self._expected is None or not self._expected.pages:
            return ()
        try:
            wait_until(lambda: refused_mails(host), "a message", seconds=self._expected.within.total_seconds(), every=0.05)
        except NotInTimeError:
            return ["it told nobody, so nothing was refused"]
        finally:
            take_mail(host)
        return ()
