"""A start service that answers calls, written from the interface's description."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import httpx

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PARAMETERS = {
    "SAPSYSTEM": "00",
    "rdisp/start_icman": "true",
    "icm/server_port_0": "PROT=HTTPS,PORT=443$$,TIMEOUT=60,PROCTIMEOUT=600",
    "icm/server_port_1": "PROT=SMTP,PORT=25000,TIMEOUT=180,TLS=1",
}
COMPONENTS = [("SAP_ABA", "75I", "0002"), ("SAP_BASIS", "758", "0002")]
VERSIONS = [("/usr/sap/S4D/D00/exe/disp+work", "793, patch 300, linuxx86_64")]


def enveloped(inner: str) -> bytes:
    """Return an envelope with this in its body."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{ENVELOPE}" '
        f'xmlns:SAPControl="urn:SAPControl"><SOAP-ENV:Body>{inner}</SOAP-ENV:Body>'
        "</SOAP-ENV:Envelope>"
    ).encode()


def answered(method: str, inner: str) -> httpx.Response:
    """Return a method's answer."""
    name = f"SAPControl:{method}Response"
    return httpx.Response(
        200,
        content=enveloped(f"<{name}>{inner}</{name}>"),
        headers={"Content-Type": "text/xml; charset=utf-8"},
    )


def faulted(sentence: str, status: int = 500) -> httpx.Response:
    """Return a SOAP fault."""
    inner = (
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode>"
        f"<faultstring>{escape(sentence)}</faultstring></SOAP-ENV:Fault>"
    )
    return httpx.Response(status, content=enveloped(inner))


def arrays(rows: list[Mapping[str, str]], name: str) -> str:
    """Return an array of structures."""
    items = (
        "".join(f"<{key}>{escape(value)}</{key}>" for key, value in row.items())
        for row in rows
    )
    return f"<{name}>{''.join(f'<item>{item}</item>' for item in items)}</{name}>"


@dataclass
class StartService:
    """Answers as an instance would; methods in `protected` want `authorization`."""

    parameters: dict[str, str] = field(default_factory=lambda: dict(PARAMETERS))
    components: list[tuple[str, str, str]] = field(
        default_factory=lambda: list(COMPONENTS)
    )
    trace: list[str] = field(default_factory=list)
    protected: frozenset[str] = frozenset()
    authorization: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    instead: Callable[[str], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        body = request.content.decode()
        found = re.search(r"<(?:\w+:)?Body><(?P<prefix>\w+):(?P<method>\w+)", body)
        assert found is not None, body
        assert f'xmlns:{found["prefix"]}="urn:SAPControl"' in body
        assert request.method == "POST"
        assert request.url.path == "/"
        assert request.headers["content-type"].startswith("text/xml")
        method, sent = found["method"], request.headers.get("authorization")
        self.asked.append((method, sent))
        if self.instead is not None:
            return self.instead(method)
        if method in self.protected and sent != self.authorization:
            return httpx.Response(401, headers={"WWW-Authenticate": "Basic"})
        answers = {
            "ParameterValue": self._parameter,
            "ABAPGetComponentList": self._components,
            "GetVersionInfo": self._versions,
            "ReadDeveloperTrace": self._trace,
        }
        return answers[method](body)

    def _parameter(self, body: str) -> httpx.Response:
        found = re.search(r"<parameter>(.*?)</parameter>", body)
        assert found is not None, body
        value = self.parameters.get(found[1])
        if value is None:
            return faulted("Invalid parameter")
        return answered("ParameterValue", f"<value>{escape(value)}</value>")

    def _components(self, _body: str) -> httpx.Response:
        rows: list[Mapping[str, str]] = [
            {"component": name, "release": release, "patchlevel": level}
            for name, release, level in self.components
        ]
        return answered("ABAPGetComponentList", arrays(rows, "component"))

    def _versions(self, _body: str) -> httpx.Response:
        rows: list[Mapping[str, str]] = [
            {"Filename": file, "VersionInfo": version} for file, version in VERSIONS
        ]
        return answered("GetVersionInfo", arrays(rows, "version"))

    def _trace(self, body: str) -> httpx.Response:
        assert "<filename>dev_icm</filename>" in body
        assert re.search(r"<size>-?\d+</size>", body)
        lines = "".join(f"<item>{escape(line)}</item>" for line in self.trace)
        inner = f"<name>dev_icm</name><lines>{lines}</lines>"
        return answered("ReadDeveloperTrace", inner)
