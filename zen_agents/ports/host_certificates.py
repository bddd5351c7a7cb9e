"""The host's certificates: what lies in files and what servers show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen


class CertificateView(Protocol):
    """Questions about certificates; never remembered."""

    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        """Return what lies in the files and what the server shows, beside the loop; HostError if nobody could look."""
        ...

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        """Return what lies in the files, without asking a server. Blocks, so it is for planning; HostError as above."""
        ...
