"""Nothing that is a secret, or looks like one, is left in what is handed to others; the rest is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.doctor.redaction import MARK, Redaction

#: No word of it, and no word that is around it.
SECRET = "hunter2Zq9"


@pytest.mark.parametrize(
    "text",
    [
        f"password: {SECRET}",
        f"db_password={SECRET}",
        f'"smtp_password": "{SECRET}"',
        f"PGPASSWORD='{SECRET} and more {SECRET}'",
        f"starting /usr/bin/app --api-key {SECRET} --verbose",
        f"starting /usr/bin/app --token={SECRET}",
        f"GET /health?user=a&token={SECRET}&x=1",
        f"postgres://app:{SECRET}@db.example.org/orders",
        f"redis://:{SECRET}@localhost",
        f"Authorization: Bearer {SECRET}",
        f"authorization=Basic {SECRET}==",
        f"Cookie: {SECRET}",
        f"SECRET_KEY = {SECRET}",
        f"aws_secret_access_key = {SECRET}",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"https://hc-ping.com/{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n{SECRET}\n-----END RSA PRIVATE KEY-----\nafter",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET} and it is cut off",
        f"ghp_{SECRET}{SECRET}x",
        f"eyJ{SECRET}.{SECRET}.{SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_left_out_wherever_it_stands(text: str) -> None:
    clean = Redaction().text(f"before\n{text}\n")
    assert SECRET not in clean
    assert MARK in clean
    assert clean.startswith("before\n")


@pytest.mark.parametrize(
    "text",
    [
        "password_file: /etc/zen-agents/secrets/smtp",
        "routing_key_file: /etc/zen-agents/secrets/pd",
        "the token was refused, and the password with it",
        "http://127.0.0.1:8080/healthz answered 200 in 3 ms",
        "restart_service nginx.service: verified",
        "secrets: each the engine's alone",
        "a basic question about a bearer of news",
        "mail to ops@example.org",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redaction().text(text) == text


def test_arguments_of_a_command_lose_what_follows_the_flag() -> None:
    argv = ["/usr/bin/app", "--password", SECRET, "--port", "80", "-token", SECRET]
    assert Redaction().value(argv) == ["/usr/bin/app", "--password", MARK, "--port", "80", "-token", MARK]


def test_a_known_secret_is_left_out_in_any_form_it_was_given_in() -> None:
    redaction = Redaction([f"smtp://app:p%40{SECRET}@mail.example.org:587", "first line\nsecond-line", "abc"])
    assert redaction.text(f"535 p@{SECRET} was refused, second-line too, abc stays") == (
        f"535 {MARK} was refused, {MARK} too, abc stays"
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(f"x {SECRET} y"),
        lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=12), below, max_size=4),
        max_leaves=12,
    )
)
def test_no_shape_of_a_value_keeps_a_known_secret(value: object) -> None:
    clean = Redaction([SECRET]).value(value)
    assert SECRET not in json.dumps(clean)
    assert Redaction([SECRET]).value(clean) == clean


def test_what_the_configuration_leaves_out_is_left_out_of_a_bundle_as_well() -> None:
    redaction = Redaction((), [r"order \d+"])
    assert redaction.value({"text": ["order 4711 failed"]}) == {"text": [f"{MARK} failed"]}
