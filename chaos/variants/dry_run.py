"""The engine only says what it would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from chaos.engines.base import Contender, Launch
from chaos.host import DisposableHost
from chaos.kinds import Right, VariantKind
from chaos.scenario import Expectation
from chaos.variants.base import Variant

#: How long it is watched for.
_LONGEST = timedelta(seconds=10)


class DryRun(Variant):
    """`run --dry-run`."""

    name = "dry_run"
    kind = VariantKind.DRY_RUN
    right_answer = "nothing is changed and nobody is told; what it would have done is listed, the same as is done otherwise"

    def __init__(self) -> None:
        self._expected: Expectation | None = None

    def expectation(self, expected: Expectation) -> Expectation:
        self._expected = expected
        return Expectation(outcome=Right.UNTOUCHED, within=min(expected.within, _LONGEST))

    def prepare(self, host: DisposableHost) -> Launch:
        return Launch(options=("--dry-run",))

    def shortfalls(self, host: DisposableHost, contender: Contender) -> Sequence[str]:
        assert self._expected is not None  # noqa: S101 - asked for before anything is run
        planned, right = Counter(step.action for step in contender.plans()), Counter(self._expected.in_dry_run)
        # What comes back is planned once, as long as nothing is done about it.
        if set(planned) == set(right):
            return ()
        return [f"it would have done {_named(planned)}, to be done: {_named(right)}"]


def _named(actions: Counter[str]) -> str:
    return ", ".join(f"{name} x {times}" for name, times in sorted(actions.items())) or "nothing"
