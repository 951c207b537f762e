"""The methods of the SAP start service that only read, and who may call them.

`service/protectedwebmethods` names the methods that ask for a user: SDEFAULT, ALL or
NONE, then names with `-` or `+`. Which methods SDEFAULT holds was not read in full:
here what shows lists and traces.

Source: public clients of the service `urn:SAPControl` for names and types; KBA
2368478 for the text about a stopped stack.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runbook_lib.sandbox.sap_system import SapInstance
from runbook_lib.sandbox.sapcontrol_soap import SoapFault
from runbook_lib.sandbox.state import Sandbox

_PORT_PARAMETER = re.compile(r"icm/server_port_(0|[1-9]\d?)")

Sent = dict[str, str]


@dataclass(frozen=True)
class Method:
    """One method: XML types of its parameters and results, by name, and its code.

    `protected` says whether SDEFAULT asks for a user.
    """

    run: Callable[[Sandbox, SapInstance, Sent], dict[str, Any]]
    takes: dict[str, str]
    gives: dict[str, str]
    protected: bool = False


def _parameter_value(
    sandbox: Sandbox, instance: SapInstance, sent: Sent
) -> dict[str, Any]:
    """Return the value in force of a parameter; without a name, of all of them."""
    name, known = sent.get("parameter", ""), instance.parameters
    if not name and sandbox.holds("sapcontrol.all-parameters"):
        return {"value": "".join(f"{key}={known[key]}\n" for key in sorted(known))}
    unset = _PORT_PARAMETER.fullmatch(name) and sandbox.holds("sapcontrol.unset-port")
    if (
        name not in known
        and not unset
        and sandbox.holds("sapcontrol.unknown-parameter")
    ):
        raise SoapFault("Invalid parameter")
    return {"value": known.get(name, "")}


def _versions(sandbox: Sandbox, instance: SapInstance, sent: Sent) -> dict[str, Any]:
    """Return the versions of the kernel's programs."""
    return {"version": instance.versions}


def _components(sandbox: Sandbox, instance: SapInstance, sent: Sent) -> dict[str, Any]:
    """Return the software components; only the ABAP stack knows them."""
    if not instance.running and sandbox.holds("sapcontrol.stopped-instance"):
        raise SoapFault("DpAttachStartService failed")
    return {"component": instance.components}


def _trace(sandbox: Sandbox, instance: SapInstance, sent: Sent) -> dict[str, Any]:
    """Return a developer trace, or part of it.

    `size` in bytes: 0 for all, a positive one from the beginning, a negative one
    from the end.
    """
    name = sent.get("filename", "").removeprefix(f"{instance.work_folder}/")
    if name not in instance.traces and sandbox.holds("sapcontrol.unknown-trace"):
        raise SoapFault("No such file or directory")
    size = _number(sent.get("size") or "0")
    text = "\n".join(instance.traces.get(name, [])).encode()
    if size and sandbox.holds("sapcontrol.trace-size"):
        text = text[:size] if size > 0 else text[size:]
    return {
        "name": f"{instance.work_folder}/{name}",
        "lines": text.decode(errors="replace").split("\n") if text else [],
    }


def _number(text: str) -> int:
    """Return a whole number; gSOAP refuses anything else."""
    if not re.fullmatch(r"\s*[+-]?\d{1,10}\s*", text):
        raise SoapFault("Validation constraint violation: data type mismatch", "Client")
    return int(text)


def _traces(sandbox: Sandbox, instance: SapInstance, sent: Sent) -> dict[str, Any]:
    """Return names and sizes of the developer traces."""
    return {
        "file": [
            {"filename": name, "size": len("\n".join(lines).encode())}
            for name, lines in instance.traces.items()
        ]
    }


def _properties(sandbox: Sandbox, instance: SapInstance, sent: Sent) -> dict[str, Any]:
    """Return what an instance says of itself."""
    said = {
        "INSTANCE_NAME": ("string", instance.name),
        "SAPSYSTEM": ("string", instance.number),
        "SAPSYSTEMNAME": ("string", instance.sid),
        "SAPLOCALHOST": ("string", instance.host.partition(".")[0]),
    }
    rows = [
        {"property": name, "propertytype": kind, "value": value}
        for name, (kind, value) in said.items()
    ]
    return {"properties": rows}


def _access_check(
    sandbox: Sandbox, instance: SapInstance, sent: Sent
) -> dict[str, Any]:
    """Say that a method may be called: the service has judged that before."""
    return {}


METHODS = {
    "ParameterValue": Method(
        _parameter_value, {"parameter": "xsd:string"}, {"value": "xsd:string"}
    ),
    "GetVersionInfo": Method(_versions, {}, {"version": "ArrayOfInstanceVersionInfo"}),
    "GetInstanceProperties": Method(
        _properties, {}, {"properties": "ArrayOfInstanceProperties"}
    ),
    "AccessCheck": Method(_access_check, {"function": "xsd:string"}, {}),
    "ABAPGetComponentList": Method(
        _components, {}, {"component": "ArrayOfABAPComponent"}, protected=True
    ),
    "ListDeveloperTraces": Method(
        _traces, {}, {"file": "ArrayOfDirEntry"}, protected=True
    ),
    "ReadDeveloperTrace": Method(
        _trace,
        {"filename": "xsd:string", "size": "xsd:int"},
        {"name": "xsd:string", "lines": "ArrayOfString"},
        protected=True,
    ),
}

# The parts of the items of the arrays above, with their types.
_TEXTS = {
    "InstanceVersionInfo": ("Filename", "VersionInfo", "Time"),
    "InstanceProperties": ("property", "propertytype", "value"),
    "ABAPComponent": (
        "component",
        "release",
        "patchlevel",
        "componenttype",
        "description",
    ),
}
TYPES: dict[str, dict[str, str]] = {
    name: dict.fromkeys(parts, "xsd:string") for name, parts in _TEXTS.items()
} | {"DirEntry": {"filename": "xsd:string", "size": "xsd:long"}}


def protected_of(sandbox: Sandbox, instance: SapInstance) -> set[str]:
    """Return the methods that ask for a user, from the parameter that says so."""
    said = instance.parameters.get("service/protectedwebmethods", "")
    if not sandbox.holds("sapcontrol.protected-list"):
        said = ""
    base, *changes = said.split() or ["SDEFAULT"]
    protected = {name for name in METHODS if METHODS[name].protected}
    protected = {"ALL": set(METHODS), "NONE": set()}.get(base.upper(), protected)
    for change in changes:
        (protected.discard if change[0] == "-" else protected.add)(change.lstrip("+-"))
    return protected & set(METHODS)
