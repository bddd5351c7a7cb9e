"""The list of mutants that nothing can kill stays true, and what is counted is counted right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from chaos.mutate.equivalent import Equivalent, listed
from chaos.mutate.survivors import REPOSITORY, Mutant
from chaos.mutate.tally import GOAL, tallied

LEDGER = "zen_agents.store.ledger"


@pytest.mark.parametrize("each", listed(), ids=lambda each: f"{each.module}: {each.old[:40]}")
def test_every_equivalent_mutant_is_of_a_line_that_still_stands(each: Equivalent) -> None:
    assert each.applies(), "the code has changed: judge this mutant anew"
    assert each.new != each.old
    assert len(each.why) > 15


def test_no_mutant_has_two_reasons() -> None:
    changes = [(each.module, each.change) for each in listed()]
    assert sorted(changes) == sorted(set(changes))


def test_an_entry_of_a_line_that_is_gone_no_longer_applies() -> None:
    assert not Equivalent(LEDGER, "this line was never there", "x", "because").applies()
    assert not Equivalent("zen_agents.no.such.module", "import json", "x", "because").applies()


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text(f'[[equivalent]]\nmodule = "{LEDGER}"\nold = "a"\nnew = "b"\n', encoding="utf-8")
    with pytest.raises(KeyError, match="why"):
        listed(tmp_path / "list.toml")


def some(status: str, count: int, start: int = 0) -> list[Mutant]:
    return [Mutant(f"{LEDGER}.x_f__mutmut_{start + number}", LEDGER, status) for number in range(count)]


def test_equivalent_mutants_leave_the_share_and_everything_else_counts() -> None:
    survivors = some("survived", 2, 100)
    changes = {survivors[0]: "- a\n+ b", survivors[1]: "- a\n+ c"}
    known = [Equivalent(LEDGER, "a", "b", "the same")]
    (tally,) = tallied([*some("killed", 8), *some("timeout", 1, 50), *survivors], changes, known)
    assert (tally.mutants, tally.killed, tally.equivalent, tally.survived) == (11, 9, 1, 1)
    assert tally.share == GOAL
    assert tally.met


def test_what_no_test_reaches_survives_and_what_was_not_run_is_no_success() -> None:
    unreached = some("no tests", 5, 100)
    (tally,) = tallied([*some("killed", 5), *unreached], dict.fromkeys(unreached, ""), [])
    assert (tally.share, tally.met) == (0.5, False)
    (tally,) = tallied([*some("killed", 5), *some("not checked", 1, 100)], {}, [])
    assert (tally.share, tally.met) == (1.0, False)


def test_what_is_mutated_and_by_which_tests_is_there() -> None:
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    for path in [*told["only_mutate"], *told["pytest_add_cli_args_test_selection"]]:
        assert list(REPOSITORY.glob(path)), f"{path} is not there"
