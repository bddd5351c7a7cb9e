"""A run goes on where it ended, and asks survivors again."""

from __future__ import annotations

from chaos.mutate.remaining import never_run, remaining
from chaos.mutate.survivors import Mutant

RULE = "zen_agents.rules.rule"


def mutants(function: str, *statuses: str) -> list[Mutant]:
    return [Mutant(f"{RULE}.{function}__mutmut_{number}", RULE, status) for number, status in enumerate(statuses, 1)]


def test_what_was_noticed_is_not_run_again() -> None:
    assert remaining(mutants("x_f", "killed", "timeout", "segfault")) == []


def test_what_survived_or_was_never_run_is_left() -> None:
    found = mutants("x_f", "killed", "survived", "not checked", "no tests", "check was interrupted by user")
    assert remaining(found) == [f"{RULE}.x_f__mutmut_{number}" for number in (2, 3, 4, 5)]


def test_a_whole_function_is_one_pattern() -> None:
    found = [*mutants("x_f", *["not checked"] * 40), *mutants("x_g", "killed", "survived")]
    assert remaining(found) == [f"{RULE}.x_f__mutmut_*", f"{RULE}.x_g__mutmut_2"]


def test_what_was_never_run_leaves_out_what_survived() -> None:
    found = [*mutants("x_f", "killed", "survived", "not checked"), *mutants("x_g", "not checked", "not checked")]
    assert never_run(found) == [f"{RULE}.x_f__mutmut_3", f"{RULE}.x_g__mutmut_*"]
    assert never_run(mutants("x_f", "killed", "survived", "no tests")) == []
