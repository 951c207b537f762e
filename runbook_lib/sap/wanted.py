"""What SAP is to be configured with: the values that forms are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WantedNode:
    """The SMTP node. `mailbox` is None where the node signs in as nobody.

    `tls` lists the settings that will do, the best first.
    """

    host: str
    port: int
    tls: tuple[str, ...]
    mailbox: str | None = None

    @classmethod
    def of_submission(cls, host: str, mailbox: str) -> WantedNode:
        """Return what option 1 needs: port 587, TLS mandatory, OAuth 2.0."""
        return cls(host, 587, ("mandatory",), mailbox)

    @classmethod
    def of_relay(cls, host: str, port: int = 25) -> WantedNode:
        """Return what options 2 to 4 need: no logon data, TLS where possible."""
        return cls(host, port, ("mandatory", "if possible"))


@dataclass(frozen=True)
class WantedClient:
    """The OAuth 2.0 client: host of the login service, IDs, scope, credential."""

    login: str
    tenant_id: str
    app_id: str
    scope: str
    credential: Literal["secret", "certificate"] = "secret"

    @property
    def token_endpoint(self) -> str:
        """Return the endpoint as it is typed: without a scheme."""
        return f"{self.login}/{self.tenant_id}/oauth2/v2.0/token"
