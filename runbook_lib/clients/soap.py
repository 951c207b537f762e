"""SOAP 1.1: an envelope with one call, and what an answer's body holds."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
CONTENT_TYPE = "text/xml; charset=utf-8"


def call(namespace: str, method: str, arguments: Mapping[str, object]) -> bytes:
    """Return the envelope of a call; arguments are elements without a namespace.

    Source: SOAP 1.1 section 4; WSDL 1.1, style document/literal.
    """
    envelope = Element(f"{{{ENVELOPE}}}Envelope")
    body = SubElement(envelope, f"{{{ENVELOPE}}}Body")
    asked = SubElement(body, f"{{{namespace}}}{method}")
    for name, value in arguments.items():
        SubElement(asked, name).text = str(value)
    written: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return written


def answer(content: bytes) -> Element | None:
    """Return the one element in the body of an envelope; None where there is none.

    A document that declares a type or entities is none: SOAP allows neither. It is
    read as UTF-8, whatever it says, so that nothing hides such a declaration.
    """
    try:
        text = content.decode()
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            return None
        root = fromstring(text)  # noqa: S314 - no entities: refused above
    except (ParseError, ValueError):
        return None
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
        return None
    return body[0]


def fault(element: Element) -> str | None:
    """Return the sentence of a fault; None where the element is none."""
    if element.tag != f"{{{ENVELOPE}}}Fault":
        return None
    return text(element, "faultstring") or "a fault without a sentence"


def text(element: Element, name: str) -> str:
    """Return the text of a child, empty where it is missing or nil."""
    return (element.findtext(name) or "").strip()


def items(element: Element, name: str) -> list[Element]:
    """Return the `item` elements of a child that is an array."""
    return element.findall(f"{name}/item")
