"""The lowest HTTP layer: which address, which proxy, whose certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from runbook_lib.clients.wire import Wire
from runbook_lib.errors import Refused, Unreachable, UntrustedCertificate

HTTPS_PORT = 443


def endpoint(url: httpx.URL) -> tuple[str, int]:
    """Return the host and port that a URL names."""
    return url.host, url.port or HTTPS_PORT


class Routed(httpx.BaseTransport):
    """Sends each request where the wire says, over verified TLS only.

    A host in `connect_to` is reached at its address with the host's own name in
    SNI, certificate check and Host header. Each host has its own connections:
    several hosts may share one address, and a connection whose certificate was
    verified for one name must not carry a request for another.
    """

    def __init__(self, wire: Wire) -> None:
        """Prepare the TLS context; connect on the first request."""
        self._wire = wire
        self._context = wire.tls_context()
        self._transports: dict[tuple[str, int], httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return the answer with its body unread.

        Raises:
            Refused: the URL is not https, or leads out of the sandbox. Only what
                the wire names as plain is read without TLS, and no credential is.
            UntrustedCertificate, Unreachable: no request was sent.
        """
        host, port = endpoint(request.url)
        if request.url.scheme != "https" and not self._plain(request):
            raise Refused(f"{request.url.host} is asked for without TLS; not sent.")
        address = self._wire.address(host, port)
        with _connection_faults(f"{host}:{port}"):
            transport = self._transport(host, port)
            response = transport.handle_request(_readdressed(request, address))
        response.extensions["proxy"] = self._proxy_name(address, (host, port))
        return response

    def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            transport.close()

    def _plain(self, request: httpx.Request) -> bool:
        """Tell whether a request may go without TLS."""
        carries_secret = "authorization" in request.headers
        return endpoint(request.url) in self._wire.plain and not carries_secret

    def _transport(self, host: str, port: int) -> httpx.HTTPTransport:
        found = self._transports.get((host, port))
        if found is None:
            # What is redirected to loopback never goes through a proxy, and neither
            # does what is in the own network.
            direct = (host.lower(), port) in {
                *self._wire.connect_to,
                *self._wire.direct,
            }
            found = self._transports[host, port] = httpx.HTTPTransport(
                verify=self._context,
                trust_env=False,
                proxy=None if direct else self._proxy(),
            )
        return found

    def _proxy(self) -> httpx.Proxy | None:
        url = self._wire.proxy
        if url is None:
            return None
        # A proxy that is itself reached over TLS is verified by the same trust.
        context = self._context if url.startswith("https:") else None
        return httpx.Proxy(url, ssl_context=context)

    def _proxy_name(
        self, address: tuple[str, int], named: tuple[str, int]
    ) -> str | None:
        if self._wire.proxy is None or address != named or named in self._wire.direct:
            return None
        return urlsplit(self._wire.proxy).netloc.rpartition("@")[2]


def _readdressed(request: httpx.Request, address: tuple[str, int]) -> httpx.Request:
    """Return the request for another address, with Host and SNI unchanged."""
    host, port = address
    if (host, port) == endpoint(request.url):
        return request
    return httpx.Request(
        request.method,
        request.url.copy_with(host=host, port=port),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


@contextmanager
def _connection_faults(where: str) -> Iterator[None]:
    """Turn the faults of connecting into ours; nothing was sent by then."""
    try:
        yield
    except httpx.ConnectError as error:
        certificate = _cause(error, ssl.SSLCertVerificationError)
        if certificate is not None:
            raise untrusted(where, certificate) from None
        raise unreachable(where, str(error)) from None
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise unreachable(where, "no answer in time") from None
    except httpx.ProxyError as error:
        raise unreachable(where, f"the proxy refused: {error}") from None


def unreachable(where: str, reason: str) -> Unreachable:
    """Return the error for a host that gave no connection."""
    return Unreachable(
        f"No connection to {where}: {reason}.",
        remedy="Check name resolution, route, firewall and proxy, then run again.",
        facts={"endpoint": where, "reason": reason},
    )


def untrusted(where: str, error: ssl.SSLCertVerificationError) -> UntrustedCertificate:
    """Return the error for a certificate that failed verification."""
    return UntrustedCertificate(
        f"The certificate that {where} shows is not trusted: {error.verify_message}.",
        remedy=(
            "Find out who answers under this name; an inspecting proxy's authority"
            " belongs into the trust store of this machine."
        ),
        facts={
            "endpoint": where,
            "verify_code": error.verify_code,
            "verify_message": error.verify_message,
        },
    )


def _cause(
    error: BaseException, kind: type[ssl.SSLCertVerificationError]
) -> ssl.SSLCertVerificationError | None:
    """Return the first error of a kind behind an error."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, kind):
            return inner
        inner = inner.__cause__ or inner.__context__
    return None
