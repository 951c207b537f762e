"""Forms to fill in: what is handed back for each step of the runbook."""

from __future__ import annotations

from collections.abc import Container, Iterable

from runbook_lib.sap.arrangement import LABELS as ARRANGEMENT
from runbook_lib.sap.default_domain import LABELS as DEFAULT_DOMAIN
from runbook_lib.sap.mail_node import LABELS as NODE
from runbook_lib.sap.oauth_client import LABELS as CLIENT
from runbook_lib.sap.sheet import Action, Blank


def _form(labels: Iterable[str], *left_out: str) -> tuple[str, ...]:
    return tuple(f"{name}: " for name in labels if name not in left_out)


_BLANKS = (
    Blank(
        "network-from-sap-host",
        "Network and trust",
        (
            "--- telnet ---",
            "(command and answer, from each application server)",
            "--- STRUST ---",
            "(name of the PSE, then the subjects of its certificate list)",
        ),
    ),
    Blank(
        "icm-service-active",
        "SMTP service of ICM",
        (
            "--- RZ11 ---",
            "(the whole screen of icm/server_port_<n>; or the instance profile)",
            "--- SMICM ---",
            "(list of services with its headings, of each application server)",
        ),
    ),
    Blank("sap-connect-service-active", "SICF", ("SAPconnect: (active or inactive)",)),
    Blank(
        "sap-notes-implemented",
        "SNOTE",
        ("(the line of the note with its state; or note and support package)",),
    ),
    Blank(
        "jwt-certificate-exported",
        "Certificate",
        ("(attach the exported file; never a private key)",),
    ),
    Blank(
        "oauth-client-configured",
        "OAuth 2.0 client; the secret is not handed back",
        _form(CLIENT, "client_secret"),
    ),
    Blank("smtp-configured", "SMTP configuration", _form(NODE, "node_in_use")),
    Blank(
        "mail-node-without-logon",
        "SMTP node",
        _form(("mail_host", "mail_port", "tls", "logon_user", "address_area")),
    ),
    Blank("default-domain-set", "Default domain", _form(DEFAULT_DOMAIN)),
    Blank(
        "communication-arrangement-configured",
        "Communication system and arrangement",
        _form(ARRANGEMENT),
    ),
)
_TESTS = (
    Blank(
        "test-mail-sent",
        "Test message",
        ("(the row of SOST with its headings, saved as a local file)",),
    ),
    Blank(
        "message-received:internal",
        "Received message",
        ("(the whole header: Internet headers, or “show original”)",),
    ),
    Blank(
        "message-received:external",
        "Received message, outside",
        ("(the whole header, from the external recipient)",),
    ),
)


def blanks(actions: Iterable[Action], steps: Container[str]) -> list[Blank]:
    """Return the forms that belong to these actions, and those of the test message.

    `steps` are those of the notebook. Where there is no SOST, none is asked for.
    """
    done = list(actions)
    wanted = {action.evidence for action in done}
    found = [blank for blank in _BLANKS if blank.step in wanted]
    with_sost = any(action.id == "send-job" for action in done)
    tests = [b for b in _TESTS if b.step in steps and (with_sost or b is not _TESTS[0])]
    return [*found, *tests]
