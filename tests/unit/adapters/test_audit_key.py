"""The key of the ledger: private, made once, and known outside by its public half."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from zen_agents.adapters.audit_key import KEY, PUBLIC_KEYS, AuditKey, PublicKeys
from zen_agents.adapters.syslog_witness import SyslogWitness
from zen_agents.errors import StoreError, UsageError
from zen_agents.model.entry import Checkpoint
from zen_agents.store.checkpoint import signed_text

HASH = "7c1e9a" + 58 * "0"


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = AuditKey.of(tmp_path)
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert AuditKey.of(tmp_path).id == first.id
    assert first.public == SigningKey((tmp_path / KEY).read_bytes()).verify_key.encode()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    AuditKey.of(tmp_path)
    (tmp_path / KEY).chmod(mode)
    with pytest.raises(StoreError, match=rf"audit\.key has mode {mode:04o}"):
        AuditKey.of(tmp_path)


def test_a_key_that_is_no_file_of_its_own_is_refused(tmp_path: Path) -> None:
    AuditKey.of(tmp_path)
    (tmp_path / KEY).rename(tmp_path / "elsewhere")
    (tmp_path / KEY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot be read"):
        AuditKey.of(tmp_path)
    (tmp_path / KEY).unlink()
    (tmp_path / KEY).hardlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="not a file of this account alone"):
        AuditKey.of(tmp_path)
    (tmp_path / KEY).unlink()
    os.mkfifo(tmp_path / KEY, 0o600)
    with pytest.raises(StoreError, match="not a file of this account alone"):
        AuditKey.of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_of_another_length_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / KEY).write_bytes(content)
    (tmp_path / KEY).chmod(0o600)
    with pytest.raises(StoreError, match="not a key of 32 bytes"):
        AuditKey.of(tmp_path)


def test_a_signature_is_ed25519_over_three_lines(tmp_path: Path) -> None:
    key = AuditKey.of(tmp_path)
    checkpoint = key.checkpoint(812, HASH)
    text = f"zen-agents ledger checkpoint v1\n812\n{HASH}\n".encode()
    assert VerifyKey(key.public).verify(text, bytes.fromhex(checkpoint.signature)) == text == signed_text(812, HASH)
    with pytest.raises(BadSignatureError):
        VerifyKey(key.public).verify(signed_text(813, HASH), bytes.fromhex(checkpoint.signature))


def test_only_what_the_key_signed_verifies(tmp_path: Path) -> None:
    key = AuditKey.of(tmp_path)
    key.publish(tmp_path)
    keys, good = PublicKeys.read(tmp_path / PUBLIC_KEYS), key.checkpoint(812, HASH)
    assert keys.verifies(good)
    flipped = f"{int(good.signature[0], 16) ^ 1:x}" + good.signature[1:]
    for bad in (
        Checkpoint(811, good.hash, good.key, good.signature),
        Checkpoint(812, HASH[::-1], good.key, good.signature),
        Checkpoint(812, good.hash, "0" * 16, good.signature),
        *(Checkpoint(812, good.hash, good.key, other) for other in (flipped, "", "zz", good.signature + "00", "é")),
    ):
        assert not keys.verifies(bad)


def test_a_second_key_is_put_behind_the_first(tmp_path: Path) -> None:
    first = AuditKey.of(tmp_path)
    first.publish(tmp_path)
    first.publish(tmp_path)
    (tmp_path / KEY).unlink()
    second = AuditKey.of(tmp_path)
    second.publish(tmp_path)
    assert list(PublicKeys.read(tmp_path / PUBLIC_KEYS).by_id) == [first.id, second.id]


@pytest.mark.parametrize("text", ["", "# nothing\n", "ed25519 AAAA\n", "rsa " + 43 * "A" + "=\n", "ed25519 *\n", "\xff"])
def test_another_file_is_no_public_key(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.pub").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="holds no public key"):
        PublicKeys.read(tmp_path / "x.pub")
    with pytest.raises(UsageError, match="cannot be read"):
        PublicKeys.read(tmp_path / "missing.pub")


def test_each_head_is_one_line_of_the_systems_log(tmp_path: Path) -> None:
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(tmp_path / "log"))
    witness = SyslogWitness(tmp_path / "log")
    witness(Checkpoint(812, HASH, "0123456789abcdef", "00"))
    line = log.recv(4096).decode()
    assert line == f"<85>zen-agents[{os.getpid()}]: ledger head 812:{HASH} key 0123456789abcdef"
    # One that nobody reads fills up, and nobody waits for it.
    for number in range(2000):
        witness(Checkpoint(number, HASH, "0123456789abcdef", "00"))
    log.close()
    witness(Checkpoint(813, HASH, "0123456789abcdef", "00"))
    (tmp_path / "log").unlink()
    witness(Checkpoint(814, HASH, "0123456789abcdef", "00"))
