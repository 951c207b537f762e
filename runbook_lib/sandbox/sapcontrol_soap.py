"""SOAP 1.1 as the SAP start service speaks it: requests read, replies written.

The start service is built with gSOAP; texts of refusals that come from there are
gSOAP's own.

Source: SOAP 1.1; gSOAP user guide; public clients of the service `urn:SAPControl`.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from runbook_lib.sandbox.http import Answer

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "urn:SAPControl"
CONTENT_TYPE = "text/xml; charset=utf-8"


class SoapFault(Exception):
    """A refusal; `code` is the part of the fault code after the colon."""

    def __init__(self, text: str, code: str = "Server", status: int = 500) -> None:
        """Take text, code and HTTP status."""
        super().__init__(text)
        self.text = text
        self.code = code
        self.status = status


@dataclass(frozen=True)
class SoapRequest:
    """A call: the method and its parameters, as texts by name."""

    method: str
    parameters: dict[str, str]


def read_request(body: bytes) -> SoapRequest:
    """Return the call in an envelope; raise SoapFault for what is none."""
    if b"<!DOCTYPE" in body:
        raise SoapFault("Well-formedness violation", "Client")
    try:
        # No document type is let through above, so no entity can be declared.
        root = ElementTree.fromstring(body)  # noqa: S314
    except (ElementTree.ParseError, ValueError, LookupError):
        raise SoapFault("Well-formedness violation", "Client") from None
    content = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or content is None or not len(content):
        raise SoapFault("SOAP version mismatch or invalid SOAP message", "Client")
    call = content[0]
    namespace, _, method = call.tag.removeprefix("{").rpartition("}")
    if namespace != NAMESPACE:
        raise unknown_method(method)
    sent = {child.tag.rpartition("}")[2]: (child.text or "") for child in call}
    return SoapRequest(method, sent)


def unknown_method(method: str) -> SoapFault:
    """Return gSOAP's refusal of a method that it does not know."""
    text = f"Method 'SAPControl:{method}' not implemented: method name or namespace"
    return SoapFault(f"{text} not recognized", "Client")


def reply(method: str, result: dict[str, Any]) -> Answer:
    """Return the reply to a call: its result's parts in order.

    A list is written as `item` elements, a mapping as elements, null as nothing.
    """
    name = f"SAPControl:{method}Response"
    return _enveloped(200, f"<{name}>{_written(result)}</{name}>")


def fault(refused: SoapFault) -> Answer:
    """Return the reply that refuses a call."""
    content = (
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:{refused.code}</faultcode>"
        f"<faultstring>{escape(refused.text)}</faultstring></SOAP-ENV:Fault>"
    )
    return _enveloped(refused.status, content)


def _written(value: Any) -> str:
    """Write a value as XML."""
    if isinstance(value, dict):
        parts = ((n, _written(v)) for n, v in value.items() if v is not None)
        return "".join(f"<{name}>{text}</{name}>" for name, text in parts)
    if isinstance(value, list):
        return "".join(f"<item>{_written(entry)}</item>" for entry in value)
    return escape(str(value))


def _enveloped(status: int, content: str) -> Answer:
    """Put a body into an envelope."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{ENVELOPE}"'
        f' xmlns:SAPControl="{NAMESPACE}">'
        f"<SOAP-ENV:Body>{content}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    return Answer(status, text.encode(), {"Content-Type": CONTENT_TYPE})
