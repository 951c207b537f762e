"""SAPControl: the web service of an instance's start service (sapstartsrv).

The same service starts and stops the instance; only what `READING` names is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import httpx

from runbook_lib.clients import soap
from runbook_lib.clients.basic_sign_in import BasicSignIn
from runbook_lib.clients.replies import measured, server_fault, unknown_reply
from runbook_lib.errors import CannotLook, NotPermitted, ServiceRefused

SERVICE = "The SAP start service"
NAMESPACE = "urn:SAPControl"
READING = frozenset(
    {"ParameterValue", "ABAPGetComponentList", "GetVersionInfo", "ReadDeveloperTrace"}
)

# The end of a trace, in bytes: a negative size counts from the end.
TRACE_END = -48 * 1024

# Seconds. What a firewall swallows shall not cost every step half a minute.
TIMEOUT = httpx.Timeout(30.0, connect=5.0)

# How the service says that an instance does not know a parameter.
_UNKNOWN_PARAMETER = "invalid parameter"
_NOT_SET = frozenset({"", "NOT_EXIST"})
_DENIED = ("permission denied", "invalid credentials", "unauthorized")
_UNAUTHORIZED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


@dataclass(frozen=True)
class Component:
    """A software component: its release and the level of its support package."""

    name: str
    release: str
    level: str


@dataclass(frozen=True)
class FileVersion:
    """A file of the kernel and what it says of its version, in one line."""

    file: str
    version: str


class SapControl:
    """Reads parameters, components, versions and traces of one instance.

    A method is asked for without a credential; where it is protected
    (`service/protectedwebmethods`), the credential is sent, if there is one. A
    password that was refused is not sent again.

    Beside what a method names, each raises NotPermitted, ServiceRefused (a SOAP
    fault, whose sentence is the code), CannotLook, UnknownReply, Unreachable,
    UntrustedCertificate.

    Source: SAP, "SAPControl Web Service Interface"; SAP Note 927637; field reports.
    """

    def __init__(
        self, http: httpx.Client, url: str, sign_in: BasicSignIn | None = None
    ) -> None:
        """Ask the service at `https://host:5<nr>14`, or `http://host:5<nr>13`."""
        self.url = url.rstrip("/")
        self._http = http
        self._sign_in = sign_in
        self._protected: set[str] = set()

    @property
    def signs_in(self) -> bool:
        """Tell whether there is a credential for protected methods."""
        return self._sign_in is not None

    @property
    def is_plain(self) -> bool:
        """Tell whether the service is read without TLS."""
        return self.url.startswith("http:")

    def parameter_value(self, name: str) -> str | None:
        """Return a profile parameter of the running instance; None if it has none."""
        try:
            answered = self._call("ParameterValue", {"parameter": name})
        except ServiceRefused as refusal:
            if refusal.code.casefold() == _UNKNOWN_PARAMETER:
                return None
            raise
        value = " ".join(soap.text(answered, "value").split())
        return None if value in _NOT_SET else value

    def components(self) -> tuple[Component, ...]:
        """Return the software components of the ABAP system."""
        answered = self._call("ABAPGetComponentList")
        return tuple(
            Component(
                name=soap.text(item, "component"),
                release=soap.text(item, "release"),
                level=soap.text(item, "patchlevel"),
            )
            for item in soap.items(answered, "component")
        )

    def versions(self) -> tuple[FileVersion, ...]:
        """Return the versions of the kernel's files."""
        answered = self._call("GetVersionInfo")
        return tuple(
            FileVersion(soap.text(item, "Filename"), soap.text(item, "VersionInfo"))
            for item in soap.items(answered, "version")
        )

    def developer_trace(self, name: str, redact: Callable[[str], str]) -> str:
        """Return the end of a developer trace, such as `dev_icm`, redacted.

        `redact` is applied to what is recorded of the exchange as well.
        """
        asked = {"filename": name, "size": TRACE_END}
        answered = self._call("ReadDeveloperTrace", asked, redact)
        lines = [item.text or "" for item in soap.items(answered, "lines")]
        return redact("\n".join(lines))

    def _call(
        self,
        method: str,
        arguments: Mapping[str, object] | None = None,
        redact: Callable[[str], str] = str,
    ) -> Element:
        """Call a method; return its response element."""
        if method not in READING:
            raise AssertionError(f"{method} is no method that reads")
        signed = self._sign_in is not None and method in self._protected
        response = self._send(method, arguments or {}, redact, signed=signed)
        challenged = response.status_code == httpx.codes.UNAUTHORIZED and not signed
        if challenged and self._sign_in is not None:
            self._protected.add(method)
            response = self._send(method, arguments or {}, redact, signed=True)
        return self._answered(method, response)

    def _send(
        self,
        method: str,
        arguments: Mapping[str, object],
        redact: Callable[[str], str],
        *,
        signed: bool,
    ) -> httpx.Response:
        headers = {"Content-Type": soap.CONTENT_TYPE, "SOAPAction": '""'}
        if signed and self._sign_in is not None:
            if self._sign_in.refused:
                raise _refused_before(self._sign_in.user, self.url)
            headers["Authorization"] = self._sign_in.header()
        response = self._http.post(
            f"{self.url}/",
            content=soap.call(NAMESPACE, method, arguments),
            headers=headers,
            extensions={"write": False, "answered": (500,), "redact": redact},
            timeout=TIMEOUT,
        )
        if signed and self._sign_in is not None and response.status_code == 401:
            self._sign_in.refused = True
        return response

    def _answered(self, method: str, response: httpx.Response) -> Element:
        """Return the response element, or raise what the answer says."""
        if response.status_code in _UNAUTHORIZED:
            raise self._denied(method, response, str(response.status_code))
        found = soap.answer(response.content)
        sentence = None if found is None else soap.fault(found)
        if sentence is not None:
            raise self._faulted(method, response, sentence)
        named = found is not None and found.tag == f"{{{NAMESPACE}}}{method}Response"
        if found is not None and named and response.is_success:
            return found
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise server_fault(SERVICE, response)
        raise unknown_reply(SERVICE, response)

    def _faulted(
        self, method: str, response: httpx.Response, sentence: str
    ) -> CannotLook:
        if any(word in sentence.casefold() for word in _DENIED):
            return self._denied(method, response, sentence)
        return ServiceRefused(
            f"{SERVICE} at {self.url} refused {method}: {sentence}.",
            code=sentence,
            remedy="See whether the instance runs and is an ABAP instance.",
            facts={**measured(response), "code": sentence},
        )

    def _denied(self, method: str, response: httpx.Response, code: str) -> NotPermitted:
        who = f"to {self._sign_in.user}" if self._sign_in else "without a user"
        remedy = (
            "Check the user and its password before the next run: a system locks a "
            "user after a few wrong ones."
            if self._sign_in
            else "Name sap.sapcontrol.user and password in the tenant file, or hand in "
            "what the screens show."
        )
        return NotPermitted(
            f"{SERVICE} at {self.url} does not permit {method} {who} ({code}).",
            remedy=remedy,
            facts={**measured(response), "code": code},
        )


def _refused_before(user: str, url: str) -> NotPermitted:
    """Return the error for a password that this run had refused already."""
    return NotPermitted(
        f"{url} refused {user} before in this run; the password was not sent again.",
        remedy="Check the user and its password before the next run.",
    )
