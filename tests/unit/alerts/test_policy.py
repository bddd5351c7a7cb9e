import pytest

from tests.support.telling import a_policy
from zen_agents.alerts.policy import Encryption, smtp_from_url


def test_an_smtp_url_is_taken_apart() -> None:
    smtp = smtp_from_url("smtp://ops%40example.com:p%2Fw@mail.example.com:2525?starttls=always")

    assert (smtp.host, smtp.port, smtp.starttls) == ("mail.example.com", 2525, Encryption.ALWAYS)
    assert (smtp.user, smtp.password) == ("ops@example.com", "p/w")
    assert "p/w" not in repr(smtp)
    assert smtp_from_url("smtps://mail.example.com").port == 465
    assert smtp_from_url("smtps://mail.example.com").starttls is Encryption.TLS
    assert smtp_from_url("smtp://mail.example.com").port == 25


@pytest.mark.parametrize(
    "url", ["http://u:secret@x", "smtp://", "smtp://u:secret@x:99999", "smtp://u:secret@x?starttls=yes"]
)
def test_a_wrong_smtp_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as caught:
        smtp_from_url(url)
    assert "secret" not in str(caught.value)


def test_channels_are_those_that_are_configured() -> None:
    policy = a_policy(smtp_port=25)

    assert policy.channels() == ("email",)
    assert policy.is_reachable("email:managers")
    assert not policy.is_reachable("email:nobody")
    assert not policy.is_reachable("pagerduty")
    assert policy.addresses("email:managers") == ("boss@example.com",)
