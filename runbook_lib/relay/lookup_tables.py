"""The look-up tables beside main.cf, as plain text: no database to rebuild."""

from __future__ import annotations

from runbook_lib.deadlines import SMTP_AUTH
from runbook_lib.relay.design import RelayDesign, Upstream
from runbook_lib.relay.settings import comment

# What stands for a secret in a rendered file; the README says how it is put in.
LOCAL_PASSWORD = "@LOCAL_PASSWORD@"  # noqa: S105 - a placeholder
MAILBOX_PASSWORD = "@MAILBOX_PASSWORD@"  # noqa: S105 - a placeholder

# Refusals by enhanced status code that wait instead of ending the message, because
# the fault is in the set-up and not in the message.
# Source: Microsoft Learn, "Email non-delivery reports in Exchange Online", and
# "Fix issues with printers, scanners, and LOB applications".
WAITING = {
    "5.7.57": "not signed in: the relay sent without AUTH",
    "5.7.30": "sign-in with a password is no longer taken",
    "5.7.64": "no connector knows this relay",
    "5.7.68": "Direct Send is rejected, and no connector knows this relay",
    "5.7.51": "a partner connector wants another address or certificate",
    "5.1.90": "the mailbox has reached its recipients of the day",
    "5.7.233": "the tenant has reached its external recipients of the day",
}


def senders(design: RelayDesign) -> str:
    """Return the senders that may use the relay."""
    why = "Envelope senders that may use this relay. After a change: postfix reload."
    return _table(why, [f"{sender} OK" for sender in design.senders])


def sasl_passwd(design: RelayDesign) -> str:
    """Return who signs in at the next hop; a secret is a placeholder."""
    held = {
        Upstream.OAUTH_PROXY: LOCAL_PASSWORD,
        Upstream.OAUTH_TOKEN_FILE: design.places.token,
        Upstream.PASSWORD: MAILBOX_PASSWORD,
    }[design.upstream]
    why = {
        Upstream.OAUTH_PROXY: "The password is between Postfix and the proxy only; "
        "Exchange Online never sees it. Mode 0600, root.",
        Upstream.OAUTH_TOKEN_FILE: "The plugin takes the token from this file, which "
        "relay-token keeps good. Mode 0600, root.",
        Upstream.PASSWORD: "Sign-in with a password ends; what was known on "
        f"{SMTP_AUTH.as_of.isoformat()}: {'; '.join(SMTP_AUTH.sentences())}. "
        f"Source: {SMTP_AUTH.source}. "
        "Mode 0600, root.",
    }[design.upstream]
    # Postfix asks for the host's name first, then for the next hop as configured. A
    # name that is missing would be answered by the table of last resort.
    keys = (design.next_host, design.next_hop)
    return _table(why, [f"{key} {design.mailbox}:{held}" for key in keys])


def null_sender(design: RelayDesign) -> str:
    """Return the way of reports: from nobody, to the MX endpoint."""
    return _table("Mail without a sender.", [f"<> mx:{design.mx_hop}"])


def deferred_replies() -> str:
    """Return the refusals that are made to wait."""
    lines = []
    for code, why in WAITING.items():
        pattern = code.replace(".", r"\.")
        waiting = f"4{code[1:]}"
        lines += [f"# {why}", rf"/^{pattern}\s+(.*)$/ {waiting} $1"]
    return _table("Refusals that wait until the set-up is mended.", lines)


def tls_policy(design: RelayDesign) -> str:
    """Return the exception from encryption: the proxy on this host."""
    return _table("The proxy on this host, over loopback.", [f"{design.next_hop} none"])


def _table(why: str, lines: list[str]) -> str:
    return "\n".join([comment(why), *lines, ""])
