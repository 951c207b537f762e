"""What a runbook notebook calls: open a run, perform steps, report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from runbook_lib import opening
from runbook_lib.clients.private_files import write_private
from runbook_lib.completing import completed
from runbook_lib.engine import history
from runbook_lib.engine.attempt import Attempt
from runbook_lib.engine.borrowing import give_back_all
from runbook_lib.engine.chain import Event
from runbook_lib.engine.expect import KnownAfterApply
from runbook_lib.engine.record import Record
from runbook_lib.engine.run import Engine
from runbook_lib.engine.runbook import Runbook
from runbook_lib.engine.step import Mode
from runbook_lib.errors import CannotLook
from runbook_lib.evidence.ledger import Ledger
from runbook_lib.locking import lock_tenant, taken
from runbook_lib.parameters import (
    OF_THE_RUN,
    PARAMETERS_FILE,
    Parameters,
    ParametersFile,
    check_parameters,
    split_cells,
)
from runbook_lib.rolling_back import roll_back_run
from runbook_lib.running import Run
from runbook_lib.sap.relay_node import relay_node
from runbook_lib.sap.values import mail_node, oauth_client
from runbook_lib.secret import Mask
from runbook_lib.session import open_session
from runbook_lib.steps.catalogue import runbook_named
from runbook_lib.steps.choose_option import AGAINST_OAUTH, carried
from runbook_lib.tenant import Tenant
from runbook_lib.views import frontend
from runbook_lib.views.delivery_proof import chains_html, chains_text
from runbook_lib.views.heading import opened_card
from runbook_lib.views.summary import summary_html, summary_text
from runbook_lib.views.values import values_table

# Importing this module is a notebook's first cell; its parameters come next.
frontend.CELLS.watch()


def open_run(name: str, namespace: Mapping[str, object]) -> Run:
    """Open the run of a notebook; `namespace` is the notebook's `globals()`.

    Raises:
        InputError: parameters or tenant file are wrong.
        Refused: the mode is not allowed on this target, or another process has
            the record.
    """
    environment = opening.environment()
    runbook = runbook_named(name)
    parameters = read_parameters(namespace)
    tenant = opening.tenant_of(parameters, environment)
    certificate = opening.certificate_of(parameters)
    interactive = frontend.attended()
    if interactive:
        opening.no_rollback_here(Mode(parameters["mode"]))
    else:
        opening.allowed(Mode(parameters["mode"]), tenant)
        _be_alone(parameters, tenant, environment)
    folder = opening.tenant_folder(parameters, tenant)
    completes = completed(folder, parameters["completes"], runbook.name, tenant)
    mask = Mask()
    opened = opening.open_record(
        runbook, parameters, tenant, interactive=interactive, mask=mask
    )
    record = opened.record
    closer = "attached" if opening.has_closer(environment, record.run) else "none"
    if not opened.reattached:
        _declare(opened, runbook, parameters, tenant, interactive, closer, completes)
    session = open_session(
        tenant,
        run=record.run,
        environment=environment,
        traffic=record.traffic,
        mask=mask,
        sink_folder=record.folder.parent / "credentials",
        proxy=opening.proxy_of(environment),
    )
    attempt = Attempt(session, record, opened.mode, wait=float(parameters["wait"] or 0))
    engine = Engine(attempt, runbook.catalogue)
    _measure(engine)
    _show_opened(record)
    if opened.reattached and opened.mode is Mode.APPLY and not interactive:
        give_back_all(attempt, runbook.catalogue, record.events, record.run)
    if opened.mode is Mode.ROLLBACK:
        roll_back_run(engine, parameters["record"])
    return Run(
        engine,
        runbook,
        parameters,
        interactive=interactive,
        closer=closer,
        certificate=certificate,
    )


def _be_alone(
    parameters: Parameters, tenant: Tenant, environment: Mapping[str, str]
) -> None:
    """Take the tenant's lock for the kernel's life, unless its parent has it.

    Raises:
        Refused: another run or batch works on the tenant.
    """
    writes = parameters["mode"] in (Mode.APPLY, Mode.ROLLBACK)
    if not writes or environment.get(opening.CLOSER):
        return
    folder = opening.tenant_folder(parameters, tenant)
    if lock_tenant(folder) is None:
        raise taken(folder)


def read_parameters(namespace: Mapping[str, object]) -> Parameters:
    """Compare the injected cell with the parameters cell, and check the values.

    Raises:
        InputError: there is no parameters cell, or a name or value is wrong.
    """
    declared, injected = split_cells(frontend.executed_cells())
    values = {name: namespace.get(name) for name in declared}
    return check_parameters(declared, {**values, **injected}, where="parameters")


def _declare(
    opened: opening.Opening,
    runbook: Runbook,
    parameters: Parameters,
    tenant: Tenant,
    interactive: bool,
    closer: str,
    completes: Mapping[str, str] | None,
) -> None:
    record = opened.record
    ledger = Ledger(record.folder.parent.parent / "ledger.ndjson")
    head = ledger.head()
    opening.declare(
        opened,
        runbook,
        parameters,
        tenant,
        interactive=interactive,
        closer=closer,
        ledger_head=head,
        completes=completes,
    )
    if closer == "none":
        ledger.opened(record.run, tenant.name)


def _measure(engine: Engine) -> None:
    """Write who signed in, as the token says; a refusal is written as well."""
    attempt = engine.attempt
    try:
        token = attempt.session.operator_token("graph")
    except CannotLook as error:
        facts: dict[str, object] = {"problem": error.message, **error.facts}
    else:
        names = ("appid", "app_displayname", "oid", "tid", "idtyp")
        facts = {name: token.claims.get(name) for name in names}
    attempt.record.append("session.opened", mode=attempt.mode, operator=facts)


def _show_opened(record: Record) -> None:
    sessions = [e for e in record.events if e["event"] == "session.opened"]
    operator = cast("Mapping[str, object]", sessions[-1]["operator"])
    frontend.show_html(*opened_card(history.header(record.events), operator))


def sap_values(run: Run, *, app_id: KnownAfterApply, key_id: KnownAfterApply) -> None:
    """Show the values that a Basis administrator enters in SAP."""
    events = run.record.events
    known = history.value_of(events, app_id)
    endpoints = run.tenant.endpoints
    rows = [
        *oauth_client(
            endpoints.login,
            str(run.tenant.tenant_id),
            str(known) if known else "known after apply",
            endpoints.exchange_scope,
            _where_secret(run, history.value_of(events, key_id)),
            run.parameters["credential"],
        ),
        *mail_node(endpoints.smtp, run.tenant.mailbox),
    ]
    frontend.show_html(*values_table([vars(row) for row in rows]))


def relay_values(run: Run, *, host: KnownAfterApply, domain: str) -> None:
    """Show the values of an SMTP node without sign-in: host, port, TLS."""
    known = history.value_of(run.record.events, host)
    rows = relay_node(str(known) if known else "known after apply", domain)
    frontend.show_html(*values_table([vars(row) for row in rows]))


def delivery_proof(run: Run) -> None:
    """Show the test mail's way from SAP to its recipient, link by link."""
    events = run.record.events
    frontend.show_html(chains_html(events), chains_text(events))


def declared_facts(run: Run) -> list[str]:
    """Return the notebook's own parameters, each as name=value.

    Left out are those that say how a run is made.
    """
    mine = {n: v for n, v in run.parameters.values.items() if n not in OF_THE_RUN}
    mine.pop("tenant", None)
    return [f"{name}={value}" for name, value in sorted(mine.items())]


def write_parameters(run: Run, *, chosen: KnownAfterApply) -> None:
    """Write the parameter file of the chosen runbook into the record.

    Where there is no choice yet, nothing is written, and that is said.
    """
    notebook = history.value_of(run.record.events, chosen)
    if notebook is None:
        print("No option was chosen, so there is no parameter file.")
        return
    found = cast("Event", history.ends(run.record.events)[chosen.step]["after"])
    against = {AGAINST_OAUTH: str(found.get(AGAINST_OAUTH) or "")}
    values = carried(str(notebook), {**run.parameters.values, **against})
    file = ParametersFile(runbook=str(notebook), parameters=values)
    text = f"{file.text()}\n"
    write_private(run.record.folder / PARAMETERS_FILE, text.encode())
    print(f"runbook run {notebook} --tenant FILE --parameters {PARAMETERS_FILE}")


def _where_secret(run: Run, key_id: object) -> str:
    if key_id is None:
        return "known after apply"
    scheme = run.tenant.secret_sink.partition(":")[0]
    return f"in the {scheme} sink, under key ID {key_id}"


def report(run: Run) -> None:
    """Show the run's summary; the notebook's last cell.

    Without a process that closes the run, the chain head and the command that
    closes it are printed.
    """
    record = run.record
    record.append("run.finished", mode=run.mode)
    frontend.show_html(summary_html(record.events), summary_text(record.events))
    if run.closer == "none":
        print(f"chain head {record.head}")
        print(f"Close the record: runbook seal {record.folder} --notebook FILE")
