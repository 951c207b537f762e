"""The description of the SAP start service, made from the table of its methods.

The real one describes over a hundred methods; this one those that are played.

Source: WSDL 1.1; public clients of the service `urn:SAPControl` for its names.
"""

from runbook_lib.sandbox.sapcontrol_methods import METHODS, TYPES, Method
from runbook_lib.sandbox.sapcontrol_soap import NAMESPACE

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<definitions name="SAPControl" targetNamespace="{NAMESPACE}"'
    f' xmlns:SAPControl="{NAMESPACE}"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:SOAP="http://schemas.xmlsoap.org/wsdl/soap/"'
    ' xmlns="http://schemas.xmlsoap.org/wsdl/">'
)
_SCHEMA = (
    f'<xsd:schema targetNamespace="{NAMESPACE}" elementFormDefault="unqualified"'
    ' attributeFormDefault="unqualified">'
)


def wsdl_of(address: str) -> str:
    """Return the description of the service at an address."""
    return "".join(
        (
            _HEAD,
            f"<types>{_SCHEMA}",
            *(_type(name, parts) for name, parts in TYPES.items()),
            _array("String", "xsd:string"),
            *(_elements(name, method) for name, method in METHODS.items()),
            "</xsd:schema></types>",
            *(_messages(name) for name in METHODS),
            '<portType name="SAPControlPortType">',
            *(_operation(name) for name in METHODS),
            "</portType>",
            '<binding name="SAPControl" type="SAPControl:SAPControlPortType">',
            '<SOAP:binding style="document"',
            ' transport="http://schemas.xmlsoap.org/soap/http"/>',
            *(_bound(name) for name in METHODS),
            "</binding>",
            '<service name="SAPControl">',
            '<port name="SAPControl" binding="SAPControl:SAPControl">',
            f'<SOAP:address location="{address}"/></port></service></definitions>',
        )
    )


def _type(name: str, parts: dict[str, str]) -> str:
    """Describe a structure, and an array of such."""
    elements = "".join(_part(part, kind) for part, kind in parts.items())
    structure = f'<xsd:complexType name="{name}"><xsd:sequence>{elements}'
    array = _array(name, f"SAPControl:{name}")
    return f"{structure}</xsd:sequence></xsd:complexType>{array}"


def _array(name: str, item: str) -> str:
    """Describe an array: any number of elements `item`."""
    return (
        f'<xsd:complexType name="ArrayOf{name}"><xsd:sequence>'
        f'<xsd:element name="item" type="{item}" minOccurs="0" maxOccurs="unbounded"'
        ' nillable="true"/></xsd:sequence></xsd:complexType>'
    )


def _part(name: str, kind: str) -> str:
    """Describe a part of a structure; a type without prefix is the service's own."""
    full = kind if ":" in kind else f"SAPControl:{kind}"
    return f'<xsd:element name="{name}" type="{full}" minOccurs="0"/>'


def _elements(name: str, method: Method) -> str:
    """Describe request and response of a method."""
    described = []
    for element, parts in ((name, method.takes), (f"{name}Response", method.gives)):
        inside = "".join(_part(part, kind) for part, kind in parts.items())
        described.append(
            f'<xsd:element name="{element}"><xsd:complexType><xsd:sequence>{inside}'
            "</xsd:sequence></xsd:complexType></xsd:element>"
        )
    return "".join(described)


def _messages(name: str) -> str:
    """Describe the two messages of a method."""
    return "".join(
        f'<message name="{message}"><part name="parameters"'
        f' element="SAPControl:{message}"/></message>'
        for message in (name, f"{name}Response")
    )


def _operation(name: str) -> str:
    """Describe a method of the port type."""
    return (
        f'<operation name="{name}"><input message="SAPControl:{name}"/>'
        f'<output message="SAPControl:{name}Response"/></operation>'
    )


def _bound(name: str) -> str:
    """Describe how a method travels: as a document, without a SOAPAction."""
    body = '<SOAP:body parts="parameters" use="literal"/>'
    return (
        f'<operation name="{name}"><SOAP:operation style="document" soapAction=""/>'
        f"<input>{body}</input><output>{body}</output></operation>"
    )
