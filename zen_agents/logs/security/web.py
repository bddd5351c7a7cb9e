"""Requests that look like attacks on web applications, in access logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from zen_agents.logs.security.addresses import peer_of
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: What SQL takes for a space, a comment included.
_GAP = r"(?:[\s+(]|/\*[^*]{0,20}\*/){1,8}"
#: What each kind looks for, in a request once it is decoded. In the grammar of `logs.matching`, so in linear time.
PATTERNS: Final[Mapping[str, str]] = {
    "log4shell": r"(?i)\$\{(?:jndi|\$?\{?(?:lower|upper|env|::-)[^}]{0,20}\}?)[^}]{0,40}:",
    "shellshock": r"\(\)\s{0,8}\{\s{0,8}[^}]{0,20};\s{0,8}\}\s{0,8};",
    "path traversal": (
        r"(?:\.\.[/\\]){2,20}|\.\.[/\\](?:etc|proc|windows|boot)[/\\]|/etc/(?:passwd|shadow)\b|/proc/self/environ"
    ),
    "sql injection": (
        rf"(?i)\bunion\b{_GAP}(?:all\b{_GAP})?select\b|"
        r"'[\s+]{0,8}(?:or|and)[\s+]{1,8}'?[0-9a-z]{1,8}'?[\s+]{0,8}=|"
        r"\b(?:sleep|benchmark|pg_sleep|waitfor[\s+]{1,8}delay)[\s+]{0,4}\(?[\s+]{0,4}'?[0-9]|information_schema\.|"
        r"\b(?:xp_cmdshell|load_file|extractvalue|updatexml)\b[\s+]{0,4}\(?"
    ),
    "cross-site scripting": (
        r"(?i)<script\b|javascript:[^/]|\bon(?:error|load|mouseover)\s{0,4}=\s{0,4}['\"]?[a-z]{1,20}\(|<svg/on"
    ),
    "command injection": (
        r"(?i)(?:[;|`&]|\$\()[\s+]{0,4}(?:/(?:usr/)?bin/)?(?:cat|wget|curl|nc|bash|sh|id|uname|chmod|rm|ping)\b"
        r"[\s+]{1,4}[/\-a-z0-9]|"
        r"/bin/(?:ba)?sh\b|cd[\s+]{1,4}/tmp\b"
    ),
    "file inclusion": r"(?i)=(?:php|data|expect|zip|phar)://|=(?:https?|ftp)://[^&]{1,200}\.(?:txt|php)\?|allow_url_include",
    "secrets sought": (
        r"(?i)/\.(?:env|git/(?:config|head)|aws/credentials|ssh/|htpasswd|svn/entries)|/wp-config\.php|/id_rsa\b|"
        r"\.(?:sql|bak)(?:\.gz|\.zip)?(?:\s|$)"
    ),
    "known scanner": (
        r"(?i)\b(?:sqlmap|nikto|nuclei|masscan|zgrab|acunetix|wpscan|dirbuster|gobuster|feroxbuster|netsparker)\b"
    ),
}  # fmt: skip
#: Where applications take a name and a password from a form.
_FORM: Final = re.compile(
    r"(?i)/(?:(?:user|users|account|admin|auth|api)/)?(?:log_?-?in|sign_?-?in|wp-login\.php|sessions?)/?(?:\?|$)|[?&]_task=login(?:&|$)"
)
#: A longer request is looked at up to here; servers refuse longer ones.
_MOST_BYTES, _LONGEST_PATH = 16_384, 2_048
#: A request may be encoded twice, to get past what decodes it once.
_DECODED = 2


def event_of(fields: Mapping[str, str], program: str) -> SecurityEvent | None:
    """Return what a request of an access log tells: an attack, or a password that was wrong; None if it is neither.

    The address is the client's as the server's log has it: behind a proxy, the proxy's.
    """
    client, status = fields.get("client", ""), fields.get("status", "")
    address, peer = peer_of(client)
    for kind in _attacks(fields):
        return SecurityEvent(
            What.WEB_ATTACK, _result(status), program, user=fields.get("user", ""), address=address, peer=peer, method=kind,
            detail=fields.get("path", fields.get("message", ""))[:200],
        )  # fmt: skip
    if not (method := _log_in_that_failed(fields, status)):
        return None
    return SecurityEvent(
        What.LOGIN, Result.FAILED, program, user=fields.get("user", ""), address=address, peer=peer, method=method
    )


def _log_in_that_failed(fields: Mapping[str, str], status: str) -> str:
    """Return how a request that was not let in had shown a password, "" if it showed none, or was let in."""
    if status == "401" and fields.get("user"):
        return "http"
    path = fields.get("path", "")[:_LONGEST_PATH]
    is_form = (status == "401" and _FORM.search(path)) or (status == "200" and _is_shown_once_more(path))
    return "form" if is_form and fields.get("method") == "POST" else ""


def _is_shown_once_more(path: str) -> bool:
    """Tell whether a form was sent to WordPress, TYPO3 or Contao, all of which redirect whom they let in and no one else."""
    page, _, query = path.partition("?")
    asked = dict(parse_qsl(query))
    if page.endswith("/wp-login.php"):
        return asked.get("action", "login") == "login"
    if page.endswith(("/typo3/", "/typo3/index.php")):
        return "loginProvider" in asked
    return page.endswith("/contao/login")


def _result(status: str) -> Result:
    if status.startswith("4"):
        return Result.REFUSED
    return Result.FAILED if status.startswith("5") else Result.OK


def _attacks(fields: Mapping[str, str]) -> list[str]:
    text = " ".join(fields.get(name, "") for name in ("message", "referer", "agent"))
    seen = text.encode("utf-8", "replace")[:_MOST_BYTES].replace(b"\n", b" ")
    forms = [seen]
    for _ in range(_DECODED):
        decoded = unquote_to_bytes(forms[-1]).replace(b"\n", b" ").replace(b"\r", b" ")
        if decoded == forms[-1]:
            break
        forms.append(decoded)
    return _kinds()(b"\n".join(forms))


@cache
def _kinds() -> Callable[[bytes], list[str]]:
    """Return what names the kinds of attack that some lines hold, in the order of PATTERNS; made at the first request."""
    from zen_agents.logs.matching.choose import choose  # noqa: PLC0415 - other lines need no engine

    names, hits = list(PATTERNS), choose(list(PATTERNS.values())).matcher.hits
    return lambda lines: [names[number] for number in sorted({hit.pattern for hit in hits(lines)})]
