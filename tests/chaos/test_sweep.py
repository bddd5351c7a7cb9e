"""Which runs are made of what is asked for."""

from __future__ import annotations

from chaos.engines.catalog import CONTENDERS
from chaos.engines.monit import Monit
from chaos.engines.zen import Zen
from chaos.kinds import VariantKind
from chaos.scenario import load_all
from chaos.sweep import full, planned
from chaos.variants.base import Variant
from chaos.variants.catalog import VARIANTS

SCENARIOS = load_all()
CRASHED, STOPPED = SCENARIOS["crashed_service"], SCENARIOS["stopped_by_person"]


def test_every_kind_of_variant_has_its_file_and_its_right_answer() -> None:
    assert {variant.kind for variant in VARIANTS} == set(VariantKind)
    assert all(variant.right_answer for variant in VARIANTS)
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_of_the_variants_only_what_a_scenario_names_and_a_contender_takes_is_run() -> None:
    runs = [*planned([CRASHED, STOPPED], [Zen, Monit], [Variant, *VARIANTS], range(2))]
    monit = [run for run in runs if run.contender is Monit]
    assert {run.variant for run in monit} == {Variant}
    assert len(monit) == 4
    named = {run.variant.kind for run in runs if run.scenario is STOPPED and run.variant is not Variant}
    assert named == set(STOPPED.variants)
    assert len({run.key for run in runs}) == len(runs)


def test_everything_is_every_contender_with_every_seed_and_every_variant_once() -> None:
    runs = [*full([CRASHED], range(3))]
    plain = [run for run in runs if run.variant is Variant]
    assert {run.contender for run in plain} == set(CONTENDERS)
    assert len(plain) == 3 * len(CONTENDERS)
    varied = [run for run in runs if run.variant is not Variant]
    assert {run.variant.kind for run in varied} == set(CRASHED.variants)
    assert {run.seed for run in varied} == {0}
