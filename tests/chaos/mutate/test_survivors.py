"""What a run that was ended left half made is made anew, and breaks no report."""

from __future__ import annotations

from pathlib import Path

from chaos.mutate.survivors import Mutant, change, forget_half_made, mutants


def test_a_module_whose_mutants_were_being_made_is_forgotten_and_its_results_are_kept(tmp_path: Path) -> None:
    rules = tmp_path / "zen_agents" / "rules"
    rules.mkdir(parents=True)
    for name, text in (("rule", ""), ("decide", "def f(): ...\n")):
        (rules / f"{name}.py").write_text(text)
        (rules / f"{name}.py.meta").write_text(f'{{"exit_code_by_key": {{"zen_agents.rules.{name}.x_f__mutmut_1": 1}}}}')
    (rules / "__init__.py").write_text("")

    forget_half_made(tmp_path)

    assert sorted(path.name for path in rules.glob("*.py")) == ["__init__.py", "decide.py"]
    assert [(each.module, each.status) for each in mutants(tmp_path)] == [
        ("zen_agents.rules.decide", "killed"),
        ("zen_agents.rules.rule", "killed"),
    ]


def test_a_module_that_came_onto_the_list_after_it_was_copied_is_made_as_well(tmp_path: Path) -> None:
    rules = tmp_path / "zen_agents" / "rules"
    rules.mkdir(parents=True)
    for name in ("rule", "decide", "window"):
        (rules / f"{name}.py").write_text("def f(): ...\n")
    (rules / "decide.py.meta").write_text('{"exit_code_by_key": {}}')
    reached = tmp_path / "mutmut-stats.json"
    reached.write_text("{}")

    forget_half_made(tmp_path, ["zen_agents/rules/d*.py"])
    assert reached.exists()

    forget_half_made(tmp_path, ["zen_agents/rules/rule.py", "zen_agents/rules/d*.py"])
    assert sorted(path.name for path in rules.glob("*.py")) == ["decide.py", "window.py"]
    assert not reached.exists(), "which tests reach the new one has to be seen anew"


def test_a_mutant_that_is_not_made_changes_nothing_that_could_be_told() -> None:
    assert change(Mutant("zen_agents.rules.gone.x_f__mutmut_1", "zen_agents.rules.gone", "survived")) == ""
