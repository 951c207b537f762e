"""What a relay server is made from: the parameters of its files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runbook_lib.mail_limits import PUBLISHED, Limits
from runbook_lib.relay.places import DEBIAN, Places

SUBMISSION_PORT = 587
MX_PORT = 25


class Upstream(StrEnum):
    """How the relay hands mail to Exchange Online."""

    OAUTH_PROXY = "oauth-proxy"
    OAUTH_TOKEN_FILE = "oauth-token-file"  # noqa: S105 - a kind, not a token
    CONNECTOR_ADDRESS = "connector-address"
    CONNECTOR_CERTIFICATE = "connector-certificate"
    PASSWORD = "password"  # noqa: S105 - a kind, not a password

    @property
    def submits(self) -> bool:
        """Tell whether it signs in as a mailbox, on port 587."""
        return not self.by_connector

    @property
    def by_connector(self) -> bool:
        """Tell whether an inbound connector lets it relay, on port 25."""
        return self in (Upstream.CONNECTOR_ADDRESS, Upstream.CONNECTOR_CERTIFICATE)

    @property
    def by_token(self) -> bool:
        """Tell whether it signs in with an access token."""
        return self in (Upstream.OAUTH_PROXY, Upstream.OAUTH_TOKEN_FILE)


class Balancer(StrEnum):
    """What stands before several relays."""

    NONE = "none"
    HAPROXY = "haproxy"
    AZURE = "azure"


@dataclass(frozen=True)
class Application:
    """Option 1's application, by which the relay gets its tokens.

    `credential` is `secret` or `certificate`; neither is held here. `login` is
    the host of the token endpoint, `scope` ends in /.default.
    """

    tenant_id: str
    client_id: str
    credential: str
    login: str
    scope: str
    login_port: int = 443

    @property
    def token_url(self) -> str:
        """Return the token endpoint of the tenant."""
        port = "" if self.login_port == 443 else f":{self.login_port}"
        return f"https://{self.login}{port}/{self.tenant_id}/oauth2/v2.0/token"


@dataclass(frozen=True)
class RelayDesign:
    """The parameters of one relay of a group of `relays` equal ones.

    `hostname` is its full name, `listen` the address that SAP reaches, `networks`
    the CIDR blocks of the SAP hosts, `senders` the envelope senders that may use
    it (addresses; behind a connector also domains). `submission` and `mx` are the
    host names of the upstream, each with its port. `balancers` are the addresses
    of a load balancer with PROXY protocol, the first the one that SAP reaches, at
    `balancer_port`; `peers` all relays as address:port. `connections` is the
    part of the mailbox's connections that all relays together may use.
    `clear_from_sap` lets SAP hosts that cannot do TLS 1.2 in, in clear text.
    `leave_by` is the address of this host by which mail leaves, if it has several.
    """

    hostname: str
    listen: str
    networks: tuple[str, ...]
    senders: tuple[str, ...]
    mailbox: str
    upstream: Upstream
    submission: str
    mx: str
    application: Application | None = None
    port: int = 25
    submission_port: int = SUBMISSION_PORT
    mx_port: int = MX_PORT
    proxy_port: int = 2587
    relays: int = 1
    balancer: Balancer = Balancer.NONE
    balancers: tuple[str, ...] = ()
    balancer_port: int = 25
    peers: tuple[str, ...] = ()
    connections: int = 2
    limits: Limits = PUBLISHED
    message_size: int = 36_700_160
    queue_days: int = 2
    clear_from_sap: bool = False
    leave_by: str = ""
    places: Places = DEBIAN

    @property
    def host(self) -> str:
        """Return the host that mail is handed to."""
        return self.submission if self.upstream.submits else self.mx

    @property
    def host_port(self) -> int:
        """Return its port."""
        return self.submission_port if self.upstream.submits else self.mx_port

    @property
    def next_hop(self) -> str:
        """Return where Postfix connects: host and port, without MX look-up."""
        port = self.host_port
        if self.upstream is Upstream.OAUTH_PROXY:
            port = self.proxy_port
        return f"[{self.next_host}]:{port}"

    @property
    def next_host(self) -> str:
        """Return the host that Postfix connects to: upstream, or proxy before it."""
        return "127.0.0.1" if self.upstream is Upstream.OAUTH_PROXY else self.host

    @property
    def mx_hop(self) -> str:
        """Return the MX endpoint as Postfix writes a host without MX look-up."""
        return f"[{self.mx}]:{self.mx_port}"

    @property
    def own_connections(self) -> int:
        """Return how many connections this relay may hold to the upstream."""
        return self.connections // self.relays

    @property
    def pause(self) -> int:
        """Return the seconds between two messages of this relay, rounded up."""
        if not self.limits.messages_per_minute:
            return 0
        return -(-60 * self.relays // self.limits.messages_per_minute)
