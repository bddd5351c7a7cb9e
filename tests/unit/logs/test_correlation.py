"""By what lines belong to those of others: the same thing has one name, whatever a format calls it."""

from __future__ import annotations

from zen_agents.logs.correlation import checked_keys, keys_of_values, shared_keys
from zen_agents.model.observation import MOST_SHARED


def test_what_formats_call_differently_is_one_thing() -> None:
    access = shared_keys({"client": "203.0.113.5", "user": "-", "path": "/login"})
    sshd = shared_keys({"address": "203.0.113.5", "user": "bob", "trace_id": "a1"})
    assert set(access) == {("address", "203.0.113.5")}
    assert set(sshd) == {("address", "203.0.113.5"), ("user", "bob"), ("trace", "a1")}


def test_a_field_of_ones_own_counts_where_it_is_named() -> None:
    fields = {"order": "7", "path": "/"}
    assert list(shared_keys(fields)) == []
    assert list(shared_keys(fields, ["order", "client"])) == [("order", "7")]


def test_what_stands_for_nobody_or_had_to_be_cut_is_no_key() -> None:
    nobody = {"client": "127.0.0.1", "user": "", "host": "localhost", "request_id": "-", "trace_id": "x" * 129}
    assert list(shared_keys(nobody)) == []


def test_each_value_of_by_is_a_key_under_its_common_name() -> None:
    assert list(keys_of_values(("client", "job"), ("203.0.113.5", "nightly"))) == [
        ("address", "203.0.113.5"), ("job", "nightly"),
    ]  # fmt: skip


def test_what_cannot_have_been_saved_is_left_out() -> None:
    assert checked_keys([["user", "bob"], ["user", 3], "x", [], ["a", "b", "c"]]) == (("user", "bob"),)
    assert len(checked_keys([["user", str(number)] for number in range(100)])) == MOST_SHARED
