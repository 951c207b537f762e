"""What the start service and the BTP environment show, for the steps about SAP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from runbook_lib.clients.sapcontrol import SapControl
from runbook_lib.engine.step import Measured
from runbook_lib.errors import CannotLook, InputError, Refused, RunbookError
from runbook_lib.sap.artifact import Kind
from runbook_lib.sap.measured import (
    ODATA,
    SAPCONTROL,
    arrangement_form,
    component_lines,
    parameter_lines,
)
from runbook_lib.session import Session

Read = Callable[[], Mapping[str, str]]

# Older documentation knows the indexes 0 to 9 only, newer one no limit: more are
# asked for until an SMTP service is found.
INDEXES = (range(10), range(10, 20), range(20, 30))
ASKED = "icm/server_port_0 to icm/server_port_29"
ALSO = ("SAPSYSTEM", "rdisp/start_icman", "ssl/client_ciphersuites")

WITHOUT_TLS = (
    "sapcontrol was read over http, without TLS: somebody on the way could have "
    "changed the answer. Give the https port (5<nr>14) in the tenant file."
)


def measured_parameters(session: Session) -> Measured | None:
    """Read the services that parameters of the running instance define."""
    service = session.sapcontrol
    return _asked(service, partial(_parameters, service)) if service else None


def measured_components(session: Session) -> Measured | None:
    """Read the software components of the system."""
    service = session.sapcontrol
    return _asked(service, partial(_components, service)) if service else None


def measured_trace(session: Session, redact: Callable[[str], str]) -> Measured | None:
    """Read the end of the trace of ICM, where there is a credential for it.

    Traces are protected in every system that was not opened on purpose.
    """
    service = session.sapcontrol
    if service is None or not service.signs_in:
        return None
    return _asked(service, partial(_trace, service, redact))


def measured_arrangements(session: Session) -> Measured | None:
    """Read the communication arrangements for mail."""
    client = session.btp
    if client is None:
        return None

    def read() -> Mapping[str, str]:
        forms = [arrangement_form(one) for one in client.arrangements()]
        count = f"arrangements: {len(forms)}"
        only = forms if len(forms) == 1 else []
        return {Kind.ARRANGEMENT: "\n".join([count, *only])}

    return _measured(ODATA, client.url, read)


def kernel(session: Session) -> str | None:
    """Return the version of the kernel in one line; None where it is not shown."""
    if session.sapcontrol is None:
        return None
    try:
        versions = session.sapcontrol.versions()
    except CannotLook:
        return None
    files = [one.version for one in versions if "disp+work" in one.file]
    return files[0] if files else None


def _parameters(service: SapControl) -> Mapping[str, str]:
    found = _values(service, ALSO)
    for indexes in INDEXES:
        ports = _values(service, [f"icm/server_port_{n}" for n in indexes])
        found |= ports
        if any("SMTP" in value for value in ports.values()):
            break
    return {Kind.PARAMETER_LIST: parameter_lines(found)}


def _values(service: SapControl, names: Sequence[str]) -> dict[str, str]:
    asked = {name: service.parameter_value(name) for name in names}
    return {name: value for name, value in asked.items() if value is not None}


def _components(service: SapControl) -> Mapping[str, str]:
    return {Kind.COMPONENTS: component_lines(service.components())}


def _trace(service: SapControl, redact: Callable[[str], str]) -> Mapping[str, str]:
    return {Kind.TRACE: service.developer_trace("dev_icm", redact)}


def _asked(service: SapControl, read: Read) -> Measured:
    weakness = WITHOUT_TLS if service.is_plain else None
    return _measured(SAPCONTROL, service.url, read, weakness)


def _measured(by: str, where: str, read: Read, weakness: str | None = None) -> Measured:
    """Read, and keep the reason where that is not possible."""
    problem: RunbookError
    try:
        return Measured(by, where, read(), weakness=weakness)
    except (CannotLook, InputError, Refused) as error:
        problem = error
    return Measured(by, where, {}, problem=problem)
