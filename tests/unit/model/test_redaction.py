"""What `redact:` names is left out wherever it stood, and costs nothing where nothing is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.state import an_outcome
from tests.support.telling import NIGHT, a_message
from zen_agents.model.action import OutcomeKind
from zen_agents.model.observation import Observation, Status
from zen_agents.model.redaction import MARK, Redaction, shown

SECRET = "Zq9hunter2"
ASKED = Redaction([r"Zq9hunter\d"])

around = st.text(max_size=6)
texts = st.builds(lambda before, after: f"{before}{SECRET}{after}", around, around) | st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda below: st.lists(below, max_size=4) | st.tuples(below, below) | st.dictionaries(st.sampled_from("abcd"), below),
    max_leaves=12,
)


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@given(values)
def test_whatever_a_value_is_made_of_nothing_of_it_is_left(value: Any) -> None:
    clean = ASKED.value(value)
    assert SECRET not in text_of(clean)
    assert text_of(clean) == text_of(value).replace(SECRET, MARK)


@given(values)
def test_without_patterns_everything_is_the_very_thing_that_was_given(value: Any) -> None:
    nothing = Redaction()
    seen, message, body = [Observation("up", "host", Status.OK, NIGHT)], a_message(), {"params": value}
    effect = an_outcome("act-1", OutcomeKind.FAILED, NIGHT).effect
    for given_, back in (
        (value, nothing.value(value)), (seen, nothing.observations(seen)), (message, nothing.message(message)),
        (effect, nothing.effect(effect)), (body, nothing.record(body, needed=("params",))),
    ):  # fmt: skip
        assert back is given_


@given(st.fixed_dictionaries({"steps": st.lists(texts), "params": st.dictionaries(st.sampled_from("ab"), values)}))
def test_what_is_needed_again_stays_in_the_state_and_is_shown_to_nobody(body: dict[str, Any]) -> None:
    kept = ASKED.record({**body, "digest": SECRET}, needed=("params",), ours=("digest",))
    assert kept["params"] == body["params"]
    assert kept["digest"] == SECRET
    assert SECRET not in text_of(kept["steps"])
    seen = shown(kept)
    assert SECRET not in text_of({name: seen[name] for name in body})
    assert set(seen) == {*body, "digest"}
    # What nothing was left out of is shown as it is.
    assert (seen["params"] == body["params"]) == (SECRET not in text_of(body["params"]))


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_was_seen_stays_what_it_was(detail: str, fact: str) -> None:
    """An incident, a limit and a repair go by name, target, status, value and fingerprint."""
    seen = Observation("up", "host", Status.PROBLEM, NIGHT, 1.0, detail + SECRET, SECRET, {"a": fact + SECRET})
    (clean,) = ASKED.observations([seen])
    assert clean._replace(detail="", facts={}) == seen._replace(detail="", facts={})
    assert SECRET not in f"{clean.detail}{clean.facts}"
    message = replace(a_message(), summary=SECRET, facts={"state": SECRET})
    assert ASKED.message(message) == replace(message, summary=MARK, facts={"state": MARK})
