"""Every target on its seeds, on any bytes, and on pieces of its own language; the long form is `python -m chaos.fuzz`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.fuzz.promise import run
from chaos.fuzz.target import Target, load, names

TARGETS = names()
calm = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def damaged(target: Target) -> st.SearchStrategy[bytes]:
    """Return seeds in which stretches were replaced by the target's words, other seeds' pieces, or anything."""
    pieces = st.one_of(st.sampled_from([*target.words, *target.seeds]), st.binary(max_size=6))

    @st.composite
    def one(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(list(target.seeds)))[:2000]
        for _ in range(draw(st.integers(1, 4))):
            at, cut = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
            data = data[:at] + draw(pieces)[:2000] + data[at + cut :]
        return data

    return one()


@pytest.mark.parametrize("name", TARGETS)
def test_no_seed_breaks_a_promise(name: str) -> None:
    target = load(name)
    assert target.about.endswith(("error", ".")), f"{name} does not say in its first line what it promises"
    for seed in target.seeds:
        run(target.fuzz, seed)


@pytest.mark.parametrize("name", TARGETS)
def test_no_damaged_seed_breaks_a_promise(name: str) -> None:
    target = load(name)

    @calm
    @given(st.one_of(damaged(target), st.binary(max_size=200)))
    def holds(data: bytes) -> None:
        run(target.fuzz, data)

    holds()


def test_there_is_a_target_for_every_parser_that_reads_what_others_wrote() -> None:
    assert set(TARGETS) >= {
        "advisories", "bus_look", "bus_signal", "control_answer", "control_request", "coverage", "expression", "facts",
        "host_resources", "job", "mail_answer", "mounts_and_sockets", "pager_answer", "process_table", "records", "scalars",
        "settings", "state_file", "state_rows", "yaml_reader", "dns_answer", "log_lines",
        "contract_file", "data_answer", "data_condition", "data_rows", "uv_lock",
    }  # fmt: skip
