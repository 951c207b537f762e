"""Network facts from the sender's host: a probe file, or what tools print there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook_lib.errors import InputError
from runbook_lib.sap.endpoint import PROBE_SCHEMA, pasted, read_sender_view

HOST = "smtp.office365.com"
PROBE: Mapping[str, Any] = {
    "schema": PROBE_SCHEMA,
    "host": HOST,
    "port": 587,
    "seen_from": "sapapp01.contoso.com",
    "time": "2026-11-25T10:00:00.000Z",
    "properties": {
        "resolves": True,
        "connects": True,
        "STARTTLS": True,
        "TLS": "TLSv1.3",
        "certificate": "trusted",
        "AUTH": ["XOAUTH2"],
    },
    "problems": [],
}

TELNET_GOOD = """\
sapapp01:s4hadm 51> telnet smtp.office365.com 587
Trying 203.0.113.66...
Connected to ZRH-efz.ms-acdc.office.com.
Escape character is '^]'.
220 ZR0P278CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready
EHLO sapapp01.contoso.com
250-ZR0P278CA0001.outlook.office365.com Hello [198.51.100.7]
250-SIZE 157286400
250-STARTTLS
250 SMTPUTF8
QUIT
221 2.0.0 Service closing transmission channel
Connection closed by foreign host.
"""
TELNET_REFUSED = """\
Trying 203.0.113.66...
telnet: Unable to connect to remote host: Connection refused
"""
TELNET_TIMEOUT = """\
Trying 2001:db8::66...
Trying 203.0.113.66...
telnet: Unable to connect to remote host: Connection timed out
"""
TELNET_SECOND_ADDRESS = """\
Trying 2001:db8::66...
telnet: connect to address 2001:db8::66: Network is unreachable
Trying 203.0.113.66...
Connected to smtp.office365.com.
"""
TELNET_NO_NAME = """\
telnet: could not resolve smtp.office365.com/587: Name or service not known
"""
TELNET_WINDOWS = """\
Connecting To smtp.office365.com...Could not open connection to the host, on port 587: \
Connect failed
"""
NIPING_GOOD = """\
sapapp01:s4hadm 52> niping -c -H smtp.office365.com -S 587 -P -B 10

Wed Nov 25 10:00:00 2026
connect to server o.k.
"""
NIPING_REFUSED = """\
Wed Nov 25 10:00:00 2026
***LOG Q0I=> NiPConnect2: 203.0.113.66:587: connect (111: Connection refused)
*** ERROR => NiPConnect2: SiPeekPendConn failed for hdl 1/sock 4
    (SI_ECONN_REFUSE/111; I4; ST; 203.0.113.66:587) [nixxi.cpp]
connect to server failed: NIECONN_REFUSED
"""
NIPING_NO_NAME = """\
*** ERROR => NiHLGetNodeAddr: NiPGetHostByName failed (rc=NIEHOST_UNKNOWN) [nixxhl.cpp]
"""
OPENSSL_GOOD = """\
$ openssl s_client -starttls smtp -connect smtp.office365.com:587 -crlf
depth=2 C = US, O = DigiCert Inc, OU = www.digicert.com, CN = DigiCert Global Root G2
verify return:1
CONNECTED(00000003)
---
Certificate chain
 0 s:C = US, O = Microsoft Corporation, CN = outlook.com
   i:C = US, O = DigiCert Inc, CN = DigiCert Cloud Services CA-1
---
No client certificate CA names sent
Server Temp Key: ECDH, prime256v1, 256 bits
---
SSL handshake has read 4120 bytes and written 470 bytes
Verification: OK
---
New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
Verify return code: 0 (ok)
---
250 SMTPUTF8
EHLO sapapp01.contoso.com
250-ZR0P278CA0001.outlook.office365.com Hello [198.51.100.7]
250-AUTH LOGIN XOAUTH2
250 SMTPUTF8
---
Post-Handshake New Session Ticket arrived:
SSL-Session:
    Protocol  : TLSv1.3
    Cipher    : TLS_AES_256_GCM_SHA384
    Start Time: 1795634961
    Timeout   : 7200 (sec)
    Verify return code: 0 (ok)
    Extended master secret: no
---
read R BLOCK
"""
OPENSSL_UNTRUSTED = """\
depth=0 O = Proxy of contoso, CN = smtp.office365.com
verify error:num=20:unable to get local issuer certificate
CONNECTED(000001A4)
---
SSL handshake has read 1285 bytes and written 314 bytes
Verification error: unable to verify the first certificate
---
New, SSLv3, Cipher is AES256-SHA
SSL-Session:
    Protocol  : TLSv1.2
    Cipher    : AES256-SHA
    Timeout   : 7200 (sec)
    Verify return code: 21 (unable to verify the first certificate)
---
250 SMTPUTF8
"""
OPENSSL_OLD_PROTOCOL = """\
CONNECTED(00000003)
---
SSL handshake has read 1285 bytes and written 314 bytes
---
SSL-Session:
    Protocol  : TLSv1
    Timeout   : 300 (sec)
    Verify return code: 0 (ok)
---
250 XXXX
"""
OPENSSL_REFUSED = """\
$ openssl s_client -starttls smtp -connect smtp.office365.com:587
804B60F0B97F0000:error:8000006F:system library:BIO_connect:Connection refused:\
../crypto/bio/bio_sock2.c:117:calling connect()
connect:errno=111
"""
OPENSSL_NO_NAME = """\
80CB8C8C8C7F0000:error:10080002:BIO routines:BIO_lookup_ex:system lib:\
../crypto/bio/bio_addr.c:746:Name or service not known
connect:errno=22
"""
OPENSSL_NO_STARTTLS = """\
CONNECTED(00000003)
Didn't find STARTTLS in server response, trying anyway...
8037C9C0AE7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:
---
no peer certificate available
---
SSL handshake has read 140 bytes and written 343 bytes
Verification: OK
---
New, (NONE), Cipher is (NONE)
"""
NSLOOKUP_GOOD = """\
Server:         192.0.2.53
Address:        192.0.2.53#53

Non-authoritative answer:
Name:   smtp.office365.com
Address: 203.0.113.66
"""
NSLOOKUP_BAD = """\
Server:         192.0.2.53
Address:        192.0.2.53#53

** server can't find smtp.office365.com: {reason}
"""
POWERSHELL = """\
ComputerName     : smtp.office365.com
RemotePort       : 587
TcpTestSucceeded : {answer}
"""

REACHED = {"connects": True, "resolves": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TELNET_GOOD, {**REACHED, "STARTTLS": True}),
        (TELNET_GOOD.replace("\n", "\r\n"), {**REACHED, "STARTTLS": True}),
        (TELNET_REFUSED, {"connects": False, "resolves": True}),
        (TELNET_TIMEOUT, {"connects": False, "resolves": True}),
        (TELNET_SECOND_ADDRESS, REACHED),
        (TELNET_NO_NAME, {"resolves": False}),
        (TELNET_WINDOWS, {"connects": False}),
        (NIPING_GOOD, {"connects": True}),
        (NIPING_REFUSED, {"connects": False}),
        (NIPING_NO_NAME, {"resolves": False}),
        (
            OPENSSL_GOOD,
            {
                **REACHED,
                "STARTTLS": True,
                "TLS": "TLSv1.3",
                "certificate": "trusted",
                "AUTH": ["LOGIN", "XOAUTH2"],
            },
        ),
        (
            OPENSSL_UNTRUSTED,
            {
                **REACHED,
                "STARTTLS": True,
                "TLS": "TLSv1.2",
                "certificate": "not trusted",
            },
        ),
        (
            OPENSSL_OLD_PROTOCOL,
            {**REACHED, "STARTTLS": True, "TLS": "TLSv1", "certificate": "trusted"},
        ),
        (OPENSSL_REFUSED, {"connects": False}),
        (OPENSSL_NO_NAME, {"resolves": False}),
        (OPENSSL_NO_STARTTLS, {**REACHED, "STARTTLS": False}),
        (NSLOOKUP_GOOD, {"resolves": True}),
        (NSLOOKUP_BAD.format(reason="NXDOMAIN"), {"resolves": False}),
        (NSLOOKUP_BAD.format(reason="SERVFAIL"), {"resolves": False}),
        (POWERSHELL.format(answer="True"), {"connects": True}),
        (POWERSHELL.format(answer="False"), {"connects": False}),
        ("$ openssl s_client -starttls smtp -connect smtp.office365.com:587\n", {}),
        ("64 bytes from 203.0.113.66: icmp_seq=1 ttl=55 time=12.3 ms\n", {}),
        ("The firewall is open, they say.\n", {}),
        ("", {}),
    ],
)
def test_pasted_output_says_only_what_it_shows(
    text: str, expected: dict[str, object]
) -> None:
    """A command line proves nothing, and a lifetime of 7200 s is no time-out."""
    view = pasted(text)
    assert view.properties == expected
    assert view.vantage == "pasted from the sender's host, as stated"


def test_of_several_runs_the_last_one_counts() -> None:
    """First refused, then opened by the firewall's owner; and the other way."""
    assert pasted(TELNET_REFUSED + TELNET_GOOD).properties["connects"] is True
    assert pasted(TELNET_GOOD + TELNET_REFUSED).properties["connects"] is False


def probe_file(folder: Path, content: object) -> Path:
    """Write a probe file and return its path."""
    path = folder / "probe.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, "utf-8")
    return path


def test_a_probe_file_is_taken_as_it_is(tmp_path: Path) -> None:
    """The vantage says who looked and when; unknown properties are left out."""
    properties = {**PROBE["properties"], "colour": "blue"}
    path = probe_file(tmp_path, {**PROBE, "properties": properties})
    view = read_sender_view(path, HOST)
    assert view.properties == PROBE["properties"]
    assert view.host == "sapapp01.contoso.com"
    assert view.vantage == (
        "runbook probe on sapapp01.contoso.com at 2026-11-25T10:00:00.000Z"
    )


def test_what_a_probe_could_not_see_is_null(tmp_path: Path) -> None:
    """A property that is not there counts as not seen."""
    path = probe_file(tmp_path, {**PROBE, "properties": {"connects": False}})
    view = read_sender_view(path, HOST)
    assert view.properties["connects"] is False
    assert view.properties["TLS"] is None


def test_a_pasted_text_is_taken_from_a_file(tmp_path: Path) -> None:
    """The same parameter takes both."""
    view = read_sender_view(probe_file(tmp_path, TELNET_GOOD), HOST)
    assert view.properties["connects"] is True


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**PROBE, "host": "smtp.office365.us"}, "is about smtp.office365.us"),
        ({**PROBE, "host": None}, "is about None"),
        ({**PROBE, "schema": 2}, "is not a file of `runbook probe`"),
        ({}, "is not a file of `runbook probe`"),
        ([PROBE], "is not a file of `runbook probe`"),
        ("587", "is not a file of `runbook probe`"),
        ("null", "is not a file of `runbook probe`"),
        ({**PROBE, "properties": None}, "is not a whole file"),
        ({**PROBE, "properties": [1]}, "is not a whole file"),
        ({**PROBE, "seen_from": ""}, "is not a whole file"),
        ({k: v for k, v in PROBE.items() if k != "time"}, "is not a whole file"),
        ("", "shows no output of telnet, niping or openssl"),
        ("The firewall is open, they say.", "shows no output of telnet"),
        ('{"schema": 1, "host', "shows no output of telnet"),
    ],
)
def test_what_proves_nothing_is_refused(
    tmp_path: Path, content: object, message: str
) -> None:
    """Else the view from this machine would pass for the sender's."""
    with pytest.raises(InputError, match=message) as caught:
        read_sender_view(probe_file(tmp_path, content), HOST)
    assert caught.value.message.startswith("probe: ")
    assert caught.value.remedy


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A missing file, or a folder."""
    with pytest.raises(InputError, match="cannot be read"):
        read_sender_view(tmp_path / "none.json", HOST)
    with pytest.raises(InputError, match="cannot be read"):
        read_sender_view(tmp_path, HOST)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A screenshot is not read."""
    path = tmp_path / "shot.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    with pytest.raises(InputError, match="shows no output"):
        read_sender_view(path, HOST)
