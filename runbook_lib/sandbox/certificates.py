"""The certificate authority of one sandbox process, and its one certificate.

Both are made new at each start and kept in memory; only the authority's public
certificate is written to a file.
"""

import ssl
from dataclasses import dataclass

import trustme

from runbook_lib.sandbox.hosts import GLOBAL, LOCAL, Cloud


@dataclass(frozen=True)
class Certificates:
    """The authority, its certificate as PEM, and the server's side of TLS.

    `edge` also asks for a client certificate, as the MX endpoints do; a client
    may have none, and one that another authority issued ends the handshake.
    """

    authority: trustme.CA
    authority_pem: str
    server: ssl.SSLContext
    edge: ssl.SSLContext

    def at_the_edge(self, *, judged: bool) -> ssl.SSLContext:
        """Return TLS of the MX side: one that judges client certificates, or asks none.

        `judged` false is for a sandbox in which that behaviour is broken.
        """
        return self.edge if judged else self.server


def make_certificates(cloud: Cloud = GLOBAL) -> Certificates:
    """Make an authority and a certificate for the cloud's real host names.

    MX endpoints and vaults are covered by a wildcard each, as in the real ones. TLS
    below 1.2 is refused, as Microsoft 365 does.
    """
    authority = trustme.CA(organization_name="Sandbox tenant, for tests only")
    leaf = authority.issue_cert(*dict.fromkeys((*cloud.names, *LOCAL)))
    edge = _context(leaf)
    edge.verify_mode = ssl.CERT_OPTIONAL
    authority.configure_trust(edge)
    pem = authority.cert_pem.bytes().decode()
    return Certificates(authority, pem, _context(leaf), edge)


def issue_client_certificate(authority: trustme.CA, names: list[str]) -> dict[str, str]:
    """Issue a certificate that a mail server shows to the MX side.

    Returns `certificate` (with its chain) and `private_key`, both as PEM. The
    authority stands in for the public ones that the real service trusts.
    """
    leaf = authority.issue_cert(*names, common_name=names[0])
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    key = leaf.private_key_pem.bytes()
    return {"certificate": chain.decode(), "private_key": key.decode()}


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    """Return the server's side of TLS; below 1.2 is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    leaf.configure_cert(context)
    return context
