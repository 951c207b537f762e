"""Addresses, names, certificates and proxies, against real TLS sockets."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509

from runbook_lib.clients.http import Wire
from runbook_lib.errors import InputError, Refused, Unreachable, UntrustedCertificate
from tests.clients.conftest import Opened
from tests.clients.servers import (
    ConnectProxy,
    HttpServer,
    HttpsServer,
    answer,
    server_context,
)

GRAPH = "graph.microsoft.com"
LOGIN = "login.microsoftonline.com"


def test_a_redirected_host_keeps_its_name(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """SNI, Host header and certificate check are those of the real name."""
    with HttpsServer(server_context(ca, GRAPH), answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address}, ca_file=ca_file)
        with open_client(wire=wire) as client:
            assert client.get(f"https://{GRAPH}/v1.0/me").json() == {}
    assert server.names == [GRAPH]
    assert f"host: {GRAPH}" in server.heads[0].lower()


def test_a_certificate_for_another_name_is_refused(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """A trusted authority is not enough: the name has to be the host's."""
    with HttpsServer(server_context(ca, "fabrikam.com"), answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address}, ca_file=ca_file)
        with pytest.raises(UntrustedCertificate) as caught:
            open_client(wire=wire).get(f"https://{GRAPH}/")
    assert "Hostname mismatch" in caught.value.message
    assert caught.value.facts["endpoint"] == f"{GRAPH}:443"
    assert server.heads == []


def test_an_unknown_authority_is_refused(
    ca_file: Path, open_client: Opened, traffic: list[Mapping[str, object]]
) -> None:
    """Only the authority of the CA file is trusted; the attempt is recorded."""
    with HttpsServer(server_context(trustme.CA(), GRAPH), answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address}, ca_file=ca_file)
        with pytest.raises(UntrustedCertificate):
            open_client(wire=wire).get(f"https://{GRAPH}/")
    assert "UntrustedCertificate" in str(traffic[0]["error"])
    assert traffic[0]["status"] is None


def test_the_system_trust_store_does_not_know_our_authority(
    ca: trustme.CA, open_client: Opened
) -> None:
    """Without a CA file the certificate of a private authority is refused."""
    with HttpsServer(server_context(ca, GRAPH), answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address})
        with pytest.raises(UntrustedCertificate):
            open_client(wire=wire).get(f"https://{GRAPH}/")


def test_two_hosts_at_one_address_share_no_connection(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """A connection that was verified for one name carries no other's request."""
    context = server_context(ca, GRAPH, LOGIN)
    with HttpsServer(context, answer(200), answer(200), answer(200)) as server:
        here = server.address
        wire = Wire(
            connect_to={(GRAPH, 443): here, (LOGIN, 443): here}, ca_file=ca_file
        )
        with open_client(wire=wire) as client:
            client.get(f"https://{GRAPH}/")
            client.get(f"https://{LOGIN}/")
            client.get(f"https://{GRAPH}/")
    assert server.names == [GRAPH, LOGIN]


def test_a_host_outside_connect_to_is_refused(open_client: Opened) -> None:
    """A redirected wire leads nowhere else."""
    wire = Wire(connect_to={(GRAPH, 443): ("127.0.0.1", 1)})
    with pytest.raises(Refused, match=r"fabrikam\.com:443 has no entry"):
        open_client(wire=wire).get("https://fabrikam.com/")
    assert wire.address("127.0.0.1", 2525) == ("127.0.0.1", 2525)
    assert wire.address(GRAPH.upper(), 443) == ("127.0.0.1", 1)


def test_plain_http_is_refused(open_client: Opened) -> None:
    """A token never goes over a connection without TLS."""
    with pytest.raises(Refused, match="without TLS"):
        open_client(wire=Wire()).get("http://127.0.0.1:1/")


def test_what_is_named_as_plain_is_read_without_tls(
    open_client: Opened, traffic: list[Mapping[str, object]]
) -> None:
    """The record says so; a credential does not go that way."""
    with HttpServer(answer(200)) as server:
        url = f"http://127.0.0.1:{server.address[1]}/"
        with open_client(wire=Wire(plain=frozenset({server.address}))) as client:
            assert client.get(url).status_code == 200
            with pytest.raises(Refused, match="without TLS"):
                client.get(url, headers={"Authorization": "Basic eDp5"})
            with pytest.raises(Refused, match="without TLS"):
                client.get("http://127.0.0.1:1/")
    assert len(server.heads) == 1
    assert (traffic[0]["protocol"], traffic[0]["tls"]) == ("http", None)


def test_what_is_in_the_own_network_goes_past_the_proxy(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """A proxy leads to the internet."""
    with HttpsServer(server_context(ca, "127.0.0.1"), answer(200)) as server:
        wire = Wire(
            ca_file=ca_file,
            proxy="http://127.0.0.1:1",
            direct=frozenset({server.address}),
        )
        with open_client(wire=wire) as client:
            url = f"https://127.0.0.1:{server.address[1]}/"
            assert client.get(url).extensions["proxy"] is None


def test_a_closed_port_is_unreachable(ca_file: Path, open_client: Opened) -> None:
    """A refused connection says where, and that is all that happened."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    wire = Wire(connect_to={(GRAPH, 443): address}, ca_file=ca_file)
    with pytest.raises(Unreachable, match=rf"{GRAPH}:443") as caught:
        open_client(wire=wire).post(f"https://{GRAPH}/", json={})
    assert caught.value.remedy


def test_legacy_tls_is_refused(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """TLS 1.1 is not spoken."""
    context = server_context(ca, GRAPH)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with HttpsServer(context, answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address}, ca_file=ca_file)
        with pytest.raises(Unreachable, match=r"(?i)protocol"):
            open_client(wire=wire).get(f"https://{GRAPH}/")
    assert server.heads == []


def test_the_exchange_says_who_answered(
    ca: trustme.CA,
    ca_file: Path,
    open_client: Opened,
    traffic: list[Any],
) -> None:
    """Peer, TLS version and the digest of the issuer's name are recorded."""
    with HttpsServer(server_context(ca, GRAPH), answer(200)) as server:
        wire = Wire(connect_to={(GRAPH, 443): server.address}, ca_file=ca_file)
        with open_client(wire=wire) as client:
            client.get(f"https://{GRAPH}/")
    authority = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    name = hashlib.sha256(authority.subject.public_bytes()).hexdigest()
    assert traffic[0]["peer"] == f"127.0.0.1:{server.address[1]}"
    assert traffic[0]["tls"]["version"] == "TLSv1.3"
    assert traffic[0]["tls"]["issuer_sha256"] == name
    assert traffic[0]["proxy"] is None


def test_a_proxy_is_used_and_named_without_its_password(
    ca: trustme.CA, ca_file: Path, open_client: Opened, traffic: list[Any]
) -> None:
    """TLS goes through the proxy to the host; the record names the proxy."""
    with (
        HttpsServer(server_context(ca, GRAPH), answer(200)) as server,
        ConnectProxy(server.address) as proxy,
    ):
        where = f"127.0.0.1:{proxy.address[1]}"
        wire = Wire(ca_file=ca_file, proxy=f"http://me:pass-word-1@{where}")
        with open_client(wire=wire) as client:
            assert client.get(f"https://{GRAPH}/").status_code == 200
    assert proxy.heads[0].startswith(f"CONNECT {GRAPH}:443 ")
    assert server.names == [GRAPH]
    assert traffic[0]["proxy"] == where
    assert "pass-word-1" not in str(traffic)


def test_a_refusing_proxy_is_unreachable(ca_file: Path, open_client: Opened) -> None:
    """The proxy's own refusal is told apart from the service's."""
    with ConnectProxy(("127.0.0.1", 1), status=403) as proxy:
        wire = Wire(ca_file=ca_file, proxy=f"http://127.0.0.1:{proxy.address[1]}")
        with pytest.raises(Unreachable, match="the proxy refused"):
            open_client(wire=wire).get(f"https://{GRAPH}/")


def test_connect_to_goes_past_the_proxy(
    ca: trustme.CA, ca_file: Path, open_client: Opened
) -> None:
    """What is redirected to loopback is reached directly."""
    with HttpsServer(server_context(ca, GRAPH), answer(200)) as server:
        wire = Wire(
            connect_to={(GRAPH, 443): server.address},
            ca_file=ca_file,
            proxy="http://127.0.0.1:1",
        )
        with open_client(wire=wire) as client:
            assert client.get(f"https://{GRAPH}/").status_code == 200


def test_the_environment_selects_no_proxy(
    ca: trustme.CA,
    ca_file: Path,
    open_client: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Proxies come from the wire alone."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with HttpsServer(server_context(ca, "127.0.0.1"), answer(200)) as server:
        url = f"https://127.0.0.1:{server.address[1]}/"
        with open_client(wire=Wire(ca_file=ca_file)) as client:
            assert client.get(url).status_code == 200


def test_no_log_of_session_keys(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable that makes TLS readable for others has no effect."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = Wire(ca_file=ca_file).tls_context()
    assert context.keylog_filename is None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_file_is_an_input_error(
    tmp_path: Path, content: str | None
) -> None:
    """A missing or odd CA file is told with its path."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"ca\.pem"):
        Wire(ca_file=path).tls_context()
