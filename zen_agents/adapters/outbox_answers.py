"""What channels answered: what arrived, what is tried again or given up, and how people hear that it was not delivered."""

from __future__ import annotations

import logging
from collections import Counter
from random import SystemRandom

from zen_agents.adapters.outbox_calendar import page_not_delivered
from zen_agents.adapters.outbox_intake import TRIGGERS, Intake
from zen_agents.adapters.outbox_memory import Memory, Told
from zen_agents.adapters.outbox_rows import OutboxRows
from zen_agents.adapters.outbox_self_test import channel_failed, channel_works, failed_key
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.policy import PAGERDUTY, is_email
from zen_agents.alerts.routing import Dispatch, first_channels
from zen_agents.alerts.trial import is_trial
from zen_agents.clock import Instant
from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import OutboxRow
from zen_agents.rules.rule import Rung

log = logging.getLogger("zen_agents.outbox")

_GIVE_UP_AFTER = 86_400.0
#: First 5 s, doubled up to 5 min, with up to 5 s of jitter on top.
_BACKOFF = Rung((), backoff_first_seconds=5.0, backoff_maximum_seconds=300.0, jitter_seconds=5.0)
_MOST_TROUBLES = 20


class Answers:
    """Notes the answers of one outbox."""

    def __init__(self, rows: OutboxRows, memory: Memory, intake: Intake) -> None:
        self._rows, self._memory, self._intake = rows, memory, intake
        #: What could not be delivered and why, by what it is about.
        self.troubles: dict[str, str] = {}
        #: How many deliveries ended so since the start, by channel and outcome.
        self.delivered: Counter[tuple[str, str]] = Counter()

    def note(self, row: OutboxRow, answer: Delivered, now: Instant) -> None:
        """Write what a channel answered, and when the row is tried again; a page that fails is told another way."""
        trial, detail = is_trial(row.message), one_line(answer.detail, 300)
        name = f"{row.channel} {'trial' if trial else row.message.dedup_key}"
        self.delivered[row.channel, answer.outcome.value] += 1
        if answer.outcome is DeliveryOutcome.OK:
            self._rows.sent(row, now)
            self._intake.took(row)
            self.troubles.pop(name, None)
            self.forget_failing(row)
            if trial:
                self._works_again(row.channel, now)
            return
        self.trouble(name, f"{row.channel}: {one_line(row.message.summary, 120)}: {answer.outcome.value}, {detail}")
        first = self._memory.failing.setdefault(row.id, now.steady)
        self._memory.changed = True
        give_up = answer.outcome is DeliveryOutcome.REJECT or now.steady - first > _GIVE_UP_AFTER
        not_before = now.steady + max(_backoff(row.attempts + 1), answer.retry_after_seconds)
        self._rows.failed(row, detail, now, not_before=not_before, give_up=give_up)
        late = now.steady - first >= self._intake.policy.pagerduty.deliver_within_seconds
        if trial and (give_up or late):
            self._tell_over_others(row.channel, detail, now)
        elif row.channel == PAGERDUTY and (give_up or late):
            self._tell_by_mail(row, detail, now)
        if give_up:
            self.forget_failing(row)

    def _tell_by_mail(self, row: OutboxRow, detail: str, now: Instant) -> None:
        """Say by mail that a page did not get through, once a page."""
        if row.message.kind not in (*TRIGGERS, MessageKind.ROLL_UP):
            return
        mail = page_not_delivered(row.message, detail, self._intake.context, now)
        channels = [channel for channel in first_channels(mail, self._intake.policy) if is_email(channel)]
        if mail.dedup_key in self._memory.told:
            return
        self._memory.remember(mail.dedup_key, Told(mail, "", now.steady, "", ()))
        if not channels:
            log.error("page not delivered, and there is no mail to say so: %s: %s", row.message.summary, detail)
        self._intake.put(mail, Dispatch(tuple(channels), now.steady), now)

    def _tell_over_others(self, channel: str, detail: str, now: Instant) -> None:
        """Say over every other way that one of them fails; where there is none, `status` and the log have it."""
        others = tuple(each for each in self._intake.policy.channels() if lane_of(each) != lane_of(channel))
        if not others:
            log.error("%s fails, and there is no other channel to say so: %s", channel, detail)
        self._intake.tell_over(channel_failed(channel, detail, self._intake.context, now), others, now)

    def _works_again(self, channel: str, now: Instant) -> None:
        key = failed_key(channel, self._intake.context)
        if key in self._memory.told or key in self._intake.open_pages():
            self._intake.accept(channel_works(channel, self._intake.context, now), now)

    def trouble(self, name: str, line: str) -> None:
        """Remember, and log, that something was not delivered; the oldest of many is forgotten."""
        self.troubles.pop(name, None)
        self.troubles[name] = line
        while len(self.troubles) > _MOST_TROUBLES:
            del self.troubles[next(iter(self.troubles))]
        log.warning("not delivered: %s", line)

    def forget_failing(self, row: OutboxRow) -> None:
        """Forget since when a row fails: it has arrived, or is given up."""
        if self._memory.failing.pop(row.id, None) is not None:
            self._memory.changed = True


def lane_of(channel: str) -> str:
    """Return which worker a channel waits for: a mail server that hangs does not hold up a page."""
    return "email" if is_email(channel) else channel.partition(":")[0]


def _backoff(attempt: int) -> float:
    from zen_agents.rules.backoff import backoff_seconds  # noqa: PLC0415 - only where a channel has failed

    return backoff_seconds(_BACKOFF, attempt, SystemRandom())
