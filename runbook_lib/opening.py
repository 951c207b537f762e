"""How a run comes to be: new, reattached, resumed, refused, or a second look."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import cast

from runbook_lib.engine.chain import Event, read_chain
from runbook_lib.engine.history import closed, header
from runbook_lib.engine.record import EVENTS, Clock, Record, begun, utc_now
from runbook_lib.engine.runbook import Runbook
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError, RecordBroken, Refused
from runbook_lib.parameters import OF_THE_RUN, Parameters
from runbook_lib.sap.certificate import read_certificate
from runbook_lib.secret import Mask
from runbook_lib.tenant import Tenant, read_tenant

CLOSER = "RUNBOOK_CLOSER"
DEFAULT_TENANT = "RUNBOOK_TENANT"
GUIDE = (
    "https://learn.microsoft.com/azure/sap/workloads/"
    "exchange-online-integration-sap-email-outbound"
)

# What a tenant file may not change while a run is open.
_IDENTITY = ("tenant_id", "cloud", "target", "mailbox")


@dataclass(frozen=True)
class Opening:
    """An open record, and what the run may do with it."""

    record: Record
    mode: Mode
    reattached: bool


def tenant_of(parameters: Parameters, environment: Mapping[str, str]) -> Tenant:
    """Read the tenant file that the parameters or the environment name.

    Raises:
        InputError: neither names one, or the file is wrong.
    """
    path = parameters["tenant"] or environment.get(DEFAULT_TENANT, "")
    if not path:
        raise InputError(
            "tenant: no tenant file is named",
            remedy="Give the parameter tenant: the path of a tenant file.",
        )
    return read_tenant(Path(path).expanduser())


def certificate_of(parameters: Parameters) -> str:
    """Return SAP's signing certificate as base64, or an empty text without one.

    Raises:
        InputError: the file is no certificate that can be used.
    """
    path = parameters["certificate"]
    if not path:
        return ""
    return read_certificate(Path(path).expanduser(), now=utc_now()).base64


def allowed(mode: Mode, tenant: Tenant) -> None:
    """Refuse what needs an approval, which cannot be given yet.

    Raises:
        Refused: apply or rollback on a target other than the sandbox.
    """
    if tenant.target != "sandbox" and mode in (Mode.APPLY, Mode.ROLLBACK):
        raise Refused(
            f"{mode} on a real target needs a signed approval, which this version "
            "cannot check yet",
            remedy="Run plan or verify there; apply works on the sandbox.",
        )


def no_rollback_here(mode: Mode) -> None:
    """Refuse a rollback in JupyterLab, where only a panel's Confirm may write.

    Raises:
        Refused: the mode is rollback.
    """
    if mode is Mode.ROLLBACK:
        raise Refused(
            "a rollback acts as soon as its first cell runs, so it does not run here",
            remedy="Use runbook run NOTEBOOK --mode rollback -p record=RUN.",
        )


def tenant_folder(parameters: Parameters, tenant: Tenant) -> Path:
    """Return the folder of the tenant's records."""
    return outputs_folder(parameters) / tenant.name


def outputs_folder(parameters: Parameters) -> Path:
    """Return the folder of the tenants' folders, with the ledger.

    A relative path counts from where the run was started; in JupyterLab, which
    starts a kernel beside its notebook, from the parent of the notebooks folder.
    """
    here = Path.cwd()
    base = here.parent if here.name == "notebooks" else here
    return base / Path(parameters["outputs"] or "outputs").expanduser()


def new_run_id(now: datetime) -> str:
    """Return a run id from the time and chance: no colons, sorts by time."""
    return f"{now:%Y%m%dT%H%M%SZ}-{token_hex(3)}"


def open_record(
    runbook: Runbook,
    parameters: Parameters,
    tenant: Tenant,
    *,
    interactive: bool,
    mask: Mask,
    clock: Clock = utc_now,
) -> Opening:
    """Create, resume or reattach the record of a run.

    A run id that names a closed run makes a new run in verify mode: an
    archived notebook that is run again looks and never writes.

    Raises:
        Refused: another process has the record, or the run that is open under
            this run id is not the one that is asked for.
        RecordBroken: the record to resume does not hold.
    """
    folder = tenant_folder(parameters, tenant)
    mode = Mode(parameters["mode"])
    wanted = folder / parameters["run_id"] if parameters["run_id"] else None
    if wanted is None and interactive:
        wanted = _reattachable(folder, runbook, parameters)
    if wanted is not None and begun(wanted):
        events = read_chain(wanted / EVENTS).events
        if not closed(events):
            _same_run(events, runbook, parameters, tenant, interactive=interactive)
            return _resumed(wanted, mode, mask, clock)
        mode, wanted = _looking_only(mode), None
    target = wanted or folder / new_run_id(clock())
    record = Record.create(target, mask=mask, clock=clock)
    return Opening(record, mode, reattached=False)


def _same_run(
    events: tuple[Event, ...],
    runbook: Runbook,
    parameters: Parameters,
    tenant: Tenant,
    *,
    interactive: bool,
) -> None:
    """Refuse to resume a run as another one: its header would not be true."""
    first = header(events)
    declared = cast("Mapping[str, object]", first["tenant"])
    asked = dict(tenant.declared())
    same = {
        "notebook": first["notebook"] == runbook.name,
        "tenant": all(declared[name] == asked[name] for name in _IDENTITY),
        "parameters": _made(first["parameters"]) == _made(parameters.values),
        "mode": bool(first["interactive"])
        or (not interactive and first["mode"] == parameters["mode"]),
    }
    other = [what for what, is_same in same.items() if not is_same]
    if other:
        raise Refused(
            f"run {first['run']} is open and was started with another "
            f"{', '.join(other)}",
            remedy="Use another run_id, or start it as before to resume it.",
        )


def _made(parameters: object) -> dict[str, str]:
    """Return the parameters that say what a run makes; the tenant is known."""
    known = cast("Mapping[str, str]", parameters)
    return {n: v for n, v in known.items() if n not in {*OF_THE_RUN, "tenant"}}


def _looking_only(mode: Mode) -> Mode:
    return Mode.PLAN if mode is Mode.PLAN else Mode.VERIFY


def _resumed(folder: Path, mode: Mode, mask: Mask, clock: Clock) -> Opening:
    record = Record.reopen(folder, mask=mask, clock=clock)
    record.append("run.resumed", mode=mode)
    return Opening(record, mode, reattached=True)


def _reattachable(
    folder: Path, runbook: Runbook, parameters: Parameters
) -> Path | None:
    """Return the newest open JupyterLab run of this notebook and parameters."""
    for path in sorted(folder.glob(f"*/{EVENTS}"), reverse=True):
        try:
            events = read_chain(path).events
        except RecordBroken:
            continue
        first = header(events)
        same = first.get("notebook") == runbook.name and first.get("interactive")
        mine = first.get("parameters_digest") == parameters.digest()
        if same and mine and not closed(events):
            return path.parent
    return None


def declare(
    opening: Opening,
    runbook: Runbook,
    parameters: Parameters,
    tenant: Tenant,
    *,
    interactive: bool,
    closer: str,
    ledger_head: str | None,
    completes: Mapping[str, str] | None = None,
) -> None:
    """Write the record's header: everything that is declared, nothing measured.

    `completes` is the closed run whose messages and evidence this run takes in.
    """
    opening.record.append(
        "run.opened",
        mode=opening.mode,
        notebook=runbook.name,
        title=runbook.title,
        steps=runbook.steps(),
        proof=list(runbook.proof_of(parameters.values)),
        parameters=dict(parameters.values),
        parameters_digest=parameters.digest(),
        asked_mode=parameters["mode"],
        tenant=dict(tenant.declared()),
        profile_doubts=tenant.profile.doubts(),
        digests={"catalogue": runbook.digest(), "library": library_digest()},
        library=library_version(),
        guide=GUIDE,
        interactive=interactive,
        closer=closer,
        ledger_head=ledger_head,
        completes=completes,
    )


@cache
def library_version() -> str:
    """Return the version of the installed package."""
    return version("sap-exchange-runbooks")


@cache
def library_digest() -> str:
    """Return the SHA-256 over the package's source files, names and contents."""
    package = Path(__file__).parent
    whole = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{digest}  {name}\n".encode())
    return whole.hexdigest()


def has_closer(environment: Mapping[str, str], run: str) -> bool:
    """Tell whether the process that closes this run started this kernel.

    It names the run, or says `any` where it closes whatever its kernel leaves.
    """
    return environment.get(CLOSER) in (run, "any")


def proxy_of(environment: Mapping[str, str]) -> str | None:
    """Return the HTTPS proxy of the environment, or None."""
    return environment.get("HTTPS_PROXY") or environment.get("https_proxy") or None


def environment() -> Mapping[str, str]:
    """Return the environment: the only place where it is read in a kernel."""
    return os.environ
