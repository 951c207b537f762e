"""The certificate authority of one sandbox process, and its one certificate.

Both are made new at each start and kept in memory; only the authority's public
certificate is written to a file.
"""

import ssl
from dataclasses import dataclass

import trustme

from runbook_lib.sandbox.hosts import (
    EXCHANGE,
    GRAPH,
    LOCAL,
    LOGIN,
    MX_SUFFIX,
    SUBMISSION,
)


@dataclass(frozen=True)
class Certificates:
    """The authority's certificate as PEM, and the server's side of TLS."""

    authority_pem: str
    server: ssl.SSLContext


def make_certificates() -> Certificates:
    """Make an authority and a certificate for the cloud's real host names.

    MX endpoints are covered by one wildcard, as in the real certificate. TLS below
    1.2 is refused, as Microsoft 365 does.
    """
    authority = trustme.CA(organization_name="Sandbox tenant, for tests only")
    names = (*LOGIN, *GRAPH, *EXCHANGE, *SUBMISSION, f"*.{MX_SUFFIX}", *LOCAL)
    leaf = authority.issue_cert(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    leaf.configure_cert(context)
    return Certificates(authority.cert_pem.bytes().decode(), context)
