"""Mail over SMTP: multipart with our own text and headers, answers told apart by their code.

Why not Apprise for this one channel stands in docs/adr/0003-email.md.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome, EmailItem
from zen_agents.workers.secret_file import SecretError, read_secret

#: What the standard library raises for an address or header that is none.
_HOST_NAME = re.compile(r"[A-Za-z0-9.-]{1,253}", re.ASCII)
_MALFORMED = (ValueError, LookupError, MessageError)


class MailServer:
    """One connection to one mail server, opened when first needed and used for all mails to it.

    After the server could not be reached, all further mails of this run are answered `retry` at once.
    """

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._unreachable = ""

    def send(self, item: EmailItem) -> Delivered:
        """Send one mail; never raises."""
        if self._unreachable:
            return Delivered(item.ref, DeliveryOutcome.RETRY, self._unreachable)
        if not item.recipients:
            return self._greeted(item)
        try:
            mail = compose(item)
            # What cannot be written is the mail's fault; whatever is odd from here on is the server's.
            mail.as_bytes()
        except _MALFORMED as error:
            return Delivered(item.ref, DeliveryOutcome.REJECT, f"the mail cannot be made: {error}")
        try:
            smtp = self._connected(item)
        except (OSError, ValueError, SecretError, _NoEncryptionError) as error:
            return self._not_connected(item, error)
        try:
            refused = smtp.send_message(mail, item.sender, list(item.recipients))
        except (OSError, *_MALFORMED) as error:
            return self._failed(item, error)
        detail = f"taken, but not for: {_refusals(refused)}" if refused else "taken"
        return Delivered(item.ref, DeliveryOutcome.OK, detail)

    def _greeted(self, item: EmailItem) -> Delivered:
        """Answer whether the server would be talked to: it greets, encrypts as asked for, and takes the password."""
        try:
            code, said = self._connected(item).noop()
        except (OSError, ValueError, SecretError, _NoEncryptionError) as error:
            return self._not_connected(item, error)
        outcome = DeliveryOutcome.OK if code == 250 else DeliveryOutcome.RETRY
        return Delivered(item.ref, outcome, f"{code} {said.decode('utf-8', 'replace')}")

    def close(self) -> None:
        """Take leave of the server."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except OSError:  # every error of smtplib is one
                smtp.close()

    def _connected(self, item: EmailItem) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connect(item)
        return self._smtp

    def _not_connected(self, item: EmailItem, error: Exception) -> Delivered:
        """Tell what an error before the first mail means: nothing for good, whatever the server said."""
        self.close()
        if not isinstance(error, (SecretError, _NoEncryptionError)):
            self._unreachable = f"{item.host}:{item.port}: {_words(error)}"
        # A password, certificate or server that is wrong now may have been put right by the next attempt.
        return Delivered(item.ref, DeliveryOutcome.RETRY, self._unreachable or str(error))

    def _failed(self, item: EmailItem, error: Exception) -> Delivered:
        """Tell what an error while sending means for this mail, and for those after it."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes = [code for code, _ in error.recipients.values()]
            return self._refused(item, codes, f"all recipients refused: {_refusals(error.recipients)}")
        # smtplib makes codes of its own for answers it cannot read, with a text that is no bytes: nobody refused anything.
        if (
            isinstance(error, smtplib.SMTPResponseException)
            and isinstance(error.smtp_error, bytes)
            and not isinstance(error, smtplib.SMTPHeloError)
        ):
            return self._refused(item, [error.smtp_code], _words(error))
        return self._not_connected(item, error)

    def _refused(self, item: EmailItem, codes: list[int], detail: str) -> Delivered:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except OSError:
                self.close()
        permanent = bool(codes) and all(500 <= code < 600 for code in codes)
        return Delivered(item.ref, DeliveryOutcome.REJECT if permanent else DeliveryOutcome.RETRY, detail)


class _NoEncryptionError(Exception):
    """The server offers no STARTTLS, and nothing is sent in the open."""


def compose(item: EmailItem) -> EmailMessage:
    """Return the mail: text/plain first, text/html last, what is attached behind them.

    Raises one of `_MALFORMED` for what is no address.
    """
    # Folding at 78 may leave nothing behind `Subject:`, which readers show as a leading space; encoded words need it.
    plain = item.subject.isascii() and item.sender_name.isascii()
    mail = EmailMessage(policy=SMTP_POLICY.clone(max_line_length=900) if plain else SMTP_POLICY)
    mail["From"] = Address(item.sender_name, addr_spec=item.sender)
    mail["To"] = [Address(addr_spec=address) for address in item.recipients]
    mail["Subject"] = item.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(item.sent_at, UTC))
    mail["Message-ID"] = f"<{item.message_id}>"
    for name, value in item.headers:
        mail[name] = value
    mail.set_content(item.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    mail.add_alternative(item.html, subtype="html", charset="utf-8", cte="quoted-printable")
    for name, text in item.attachments:
        mail.add_attachment(text, subtype="plain", charset="utf-8", cte="quoted-printable", filename=name)
    return mail


def _connect(item: EmailItem) -> smtplib.SMTP:
    """Return a connection that is encrypted as asked for, and logged in."""
    if item.encryption == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            item.host, item.port, _greeting(item), timeout=item.timeout_seconds, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(item.host, item.port, _greeting(item), timeout=item.timeout_seconds)
    try:
        if item.encryption in ("auto", "always"):
            smtp = _upgraded(smtp, item)
        _log_in(smtp, item)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _greeting(item: EmailItem) -> str:
    """Return how this host calls itself: by the name that it is known by, else by an address literal (RFC 5321, 4.1.3).

    Without it `smtplib` asks the name service, and a dead one would keep the word that it is dead for several time-outs.
    """
    name = item.message_id.rpartition("@")[2]
    return name if "." in name and _HOST_NAME.fullmatch(name) else "[127.0.0.1]"


def _upgraded(smtp: smtplib.SMTP, item: EmailItem) -> smtplib.SMTP:
    """Return the connection after STARTTLS; with `auto` a plain one where that fails and no password would be sent."""
    smtp.ehlo()
    offered = smtp.has_extn("starttls")
    if item.encryption == "always" and not offered:
        raise _NoEncryptionError(f"{item.host}:{item.port} offers no STARTTLS, and `starttls: always` asks for it")
    if not offered:
        return smtp
    try:
        # Made only here: reading all authorities of a host takes a fifth of what a mail takes.
        smtp.starttls(context=ssl.create_default_context())
    except (ssl.SSLError, smtplib.SMTPResponseException):
        if item.encryption == "always" or item.user:
            raise
        # Local relays often have a certificate of their own; a message to people goes out rather than not (R15).
        smtp.close()
        smtp = smtplib.SMTP(item.host, item.port, _greeting(item), timeout=item.timeout_seconds)
    smtp.ehlo()
    return smtp


def _log_in(smtp: smtplib.SMTP, item: EmailItem) -> None:
    if not item.user:
        return
    if not isinstance(smtp, smtplib.SMTP_SSL) and not isinstance(smtp.sock, ssl.SSLSocket) and not _is_local(item.host):
        raise _NoEncryptionError(f"{item.host}:{item.port} offers no encryption; a password is not sent in the open")
    smtp.login(item.user, item.password or read_secret(item.password_file))


def _is_local(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) or type(error).__name__


def _refusals(refused: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {code} {said.decode('utf-8', 'replace')}" for address, (code, said) in refused.items())
