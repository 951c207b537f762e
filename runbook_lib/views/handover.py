"""The handover sheet of a run, for the people who work in SAP: HTML and Markdown.

Drawn from the record. It holds no secret: a client secret is named by its key ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import cast

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from runbook_lib.cloud import PROFILES, Cloud
from runbook_lib.engine.chain import Event
from runbook_lib.engine.history import Ends, ends, header
from runbook_lib.engine.result import mode_of
from runbook_lib.engine.step import Mode
from runbook_lib.errors import InputError
from runbook_lib.sap.handover import handover_sheet
from runbook_lib.sap.icm_lines import icm_lines
from runbook_lib.sap.release import Product, parse_product
from runbook_lib.sap.sheet import UNKNOWN, Sheet, SheetFacts
from runbook_lib.views import story
from runbook_lib.views.rendering import visible
from runbook_lib.views.report import SANDBOX_MARK, page_style
from runbook_lib.views.sender_table import judged_senders

HTML, MARKDOWN = "handover.html", "handover.md"
ICM = "icm-service-active"
INBOX = "the internal recipient of the tenant file"


def handover_documents(events: Sequence[Event], *, folder: Path) -> dict[str, str]:
    """Return the sheet by file name; nothing where a run hands nothing over.

    That is so for a rollback, and for notebooks that are no option. Of the
    folder only the evidence about ICM is read, for the next free index, which is
    taken from what was measured as well.
    """
    facts = sheet_facts(events, folder)
    if facts is None or mode_of(events) == Mode.ROLLBACK:
        return {}
    content = _content(events, handover_sheet(facts))
    return {
        HTML: _drawn("handover.html.j2", content),
        MARKDOWN: _drawn("handover.md.j2", content),
    }


def _drawn(name: str, content: Mapping[str, object]) -> str:
    return _environment().get_template(name).render(**content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("runbook_lib.views"),
        autoescape=select_autoescape(("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["seen"] = lambda text: visible(str(text))
    environment.filters["plain"] = _plain
    environment.filters["cell"] = lambda text: _plain(text).replace("|", "\\|")
    environment.filters["code"] = lambda text: visible(str(text)).replace("|", "\\|")
    return environment


def _plain(text: object) -> str:
    """Return a text of Markdown in which nothing is taken for HTML."""
    return visible(str(text)).replace("<", "&lt;")


def _content(events: Sequence[Event], sheet: Sheet) -> dict[str, object]:
    head = header(events)
    sandbox = story.tenant(events).get("target") == "sandbox"
    run = str(head["run"])
    mark = SANDBOX_MARK if sandbox else f"{sheet.title} – run {run}"
    return {
        "style": Markup(page_style(mark, sheet.title, run)),  # noqa: S704 - our own
        "sheet": sheet,
        "facts": sheet.facts,
        "mark": mark,
        "sandbox": sandbox,
        "mode": mode_of(events),
        "tenant": story.tenant(events),
        "unknown": UNKNOWN,
    }


def sheet_facts(events: Sequence[Event], folder: Path) -> SheetFacts | None:
    """Return what the record knows of the values; None where there is no sheet."""
    head, tenant = header(events), story.tenant(events)
    parameters = cast("Mapping[str, str]", head.get("parameters") or {})
    number, product = str(head.get("notebook") or "")[:1], _product(parameters)
    if number not in {"1", "2", "3", "4"} or product is None:
        return None
    option, done = int(number), ends(events)
    listed = cast("list[Event]", head.get("steps") or [])
    profile = PROFILES[Cloud(str(tenant.get("cloud") or Cloud.GLOBAL))]
    mailbox = str(tenant.get("mailbox") or UNKNOWN)
    domain = mailbox.rpartition("@")[2]
    mx = f"{domain.replace('.', '-')}.{profile.mx_suffix.value}"
    lines = icm_lines(_evidence(events, folder))
    return SheetFacts(
        option=option,
        product=product,
        run=str(head["run"]),
        tenant_id=str(tenant.get("tenant_id") or UNKNOWN),
        login=profile.login.value,
        scope=profile.exchange_scope.value,
        mail_host=_host(option, done, profile.smtp.value, mx),
        mailbox=mailbox,
        domain=domain,
        recipient=_input(done, "send-test-message:internal", "recipient") or INBOX,
        credential=parameters.get("credential") or "secret",
        free_index=lines.free,
        port_line=lines.smtp,
        senders=judged_senders(events),
        steps=frozenset(str(entry["step"]) for entry in listed),
        **_credential(done),
    )


def _product(parameters: Mapping[str, str]) -> Product | None:
    """Return the product; None where a run was given one that is not known."""
    try:
        return parse_product(parameters.get("product") or Product.S4_ON_PREMISES)
    except InputError:
        return None


def _credential(done: Ends) -> dict[str, str]:
    return {
        "app_id": _after(done, "register-application", "appId"),
        "key_id": _after(done, "create-client-secret", "keyId"),
        "secret_until": _after(done, "create-client-secret", "endDateTime"),
        "certificate_sha1": _after(done, "upload-certificate", "customKeyIdentifier"),
        "certificate_until": _after(done, "upload-certificate", "endDateTime"),
    }


def _after(done: Ends, step: str, name: str) -> str:
    after = cast("Mapping[str, object]", done.get(step, {}).get("after") or {})
    return str(after.get(name) or UNKNOWN)


def _input(done: Ends, step: str, name: str) -> str | None:
    inputs = cast("Mapping[str, object]", done.get(step, {}).get("resolved") or {})
    value = inputs.get(name)
    return value if isinstance(value, str) and value else None


def _host(option: int, done: Ends, smtp: str, mx: str) -> str:
    """Return the mail host: as the steps had it, else as the cloud has it."""
    if option == 1:
        return _input(done, "submission-endpoint", "host") or smtp
    named = _input(done, "mail-node-without-logon", "host")
    if option == 4:
        return named or UNKNOWN
    return named or mx


def _evidence(events: Sequence[Event], folder: Path) -> list[str]:
    """Return what was measured of ICM, and what was handed in last."""
    return [*_measured(events), *_handed_in(events, folder)]


def _measured(events: Sequence[Event]) -> list[str]:
    end = ends(events).get(ICM, {})
    measured = cast("Mapping[str, object]", end.get("measured") or {})
    texts = cast("Mapping[str, str]", measured.get("texts") or {})
    return list(texts.values())


def _handed_in(events: Sequence[Event], folder: Path) -> list[str]:
    handed_in = [
        event
        for event in events
        if event["event"] == "evidence.attached" and event["step"] == ICM
    ]
    if not handed_in:
        return []
    last = handed_in[-1]
    names = [last["text"], *cast("list[object]", last["files"])]
    paths = [folder / str(cast("Mapping[str, str]", name)["path"]) for name in names]
    return [
        path.read_text("utf-8", errors="replace") for path in paths if path.is_file()
    ]
