"""How long to wait before something is tried again; loaded once something has failed, or just before it may.

The waits are computed by tenacity's strategies; nobody sleeps here, whoever tries carries the time of the next attempt.
"""

from __future__ import annotations

from random import Random

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_base, wait_exponential

from zen_agents.rules.rule import Rung


class WaitJitter(wait_base):
    """A wait of 0 to `seconds`, from randomness that is handed in (tenacity's own reads the process-wide one)."""

    def __init__(self, seconds: float, random: Random) -> None:
        self._seconds, self._random = seconds, random

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the jitter; it does not depend on the attempt."""
        del retry_state
        return self._random.uniform(0.0, self._seconds)


def backoff_seconds(rung: Rung, attempt: int, random: Random) -> float:
    """Return the wait after this many attempts (1 or more) failed.

    It is min(maximum, first * 2**(attempt - 1)), plus 0 to `jitter_seconds`.
    """
    strategy = wait_exponential(multiplier=rung.backoff_first_seconds, max=rung.backoff_maximum_seconds) + WaitJitter(
        rung.jitter_seconds, random
    )
    state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = max(1, attempt)
    return max(0.0, strategy(state))
