"""The host's certificates: what lies in files and what servers show, and how files of them are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen
    from zen_agents.ports.host import FileState


class CertificateView(Protocol):
    """Questions about certificates; never remembered."""

    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        """Return what lies in the files and what the server shows, beside the loop; HostError if nobody could look."""
        ...

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        """Return what lies in the files, without asking a server. Blocks, so it is for planning; HostError as above."""
        ...


class FileReplacement(Protocol):
    """Replacing a file by one that was made beside it and looked at first."""

    def stage_file(self, source: str, beside: FileState) -> FileState:
        """Copy a small file beside another one, under a private name and with its owner and mode; return the copy.

        Nobody but the engine (root), or the owner of the file beside, may be able to write the source: UnsafePathError.
        """
        ...

    def discard_staged(self, staged: FileState) -> None:
        """Remove a copy that was staged and is not wanted."""
        ...

    def replace_file(self, expected: FileState, staged: FileState, *, action: str) -> str:
        """Put a staged copy in the place of a file in one step; return the quarantine's id of what was there.

        StalePlanError if either is not what was seen; then nothing was changed.
        """
        ...
