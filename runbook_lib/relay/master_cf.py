"""master.cf: the services of Postfix that a relay needs, and no others."""

from __future__ import annotations

from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.settings import comment

# service, type, private, unpriv, chroot, wakeup, maxproc, command. Nothing runs in
# a chroot: tables, certificates and token files are read where they are.
_SERVICES = """\
pickup     unix       n  -  n  60     1  pickup
cleanup    unix       n  -  n  -      0  cleanup
qmgr       unix       n  -  n  300    1  qmgr
tlsmgr     unix       -  -  n  1000?  1  tlsmgr
rewrite    unix       -  -  n  -      -  trivial-rewrite
bounce     unix       -  -  n  -      0  bounce
defer      unix       -  -  n  -      0  bounce
trace      unix       -  -  n  -      0  bounce
verify     unix       -  -  n  -      1  verify
flush      unix       n  -  n  1000?  0  flush
proxymap   unix       -  -  n  -      -  proxymap
smtp       unix       -  -  n  -      -  smtp
relay      unix       -  -  n  -      -  smtp
showq      unix       n  -  n  -      -  showq
error      unix       -  -  n  -      -  error
retry      unix       -  -  n  -      -  error
discard    unix       -  -  n  -      -  discard
anvil      unix       -  -  n  -      1  anvil
scache     unix       -  -  n  -      1  scache
tlsproxy   unix       -  -  n  -      0  tlsproxy
postlog    unix-dgram n  -  n  -      1  postlogd"""


def master_cf(design: RelayDesign) -> str:
    """Return the whole master.cf."""
    host = f"[{design.listen}]" if ":" in design.listen else design.listen
    parts = [
        comment("Where SAP hands mail over: one address, one port."),
        f"{host}:{design.port} inet n - n - - smtpd",
        "",
        comment("What a relay needs of Postfix. No local or virtual delivery."),
        _SERVICES,
    ]
    if design.upstream.submits:
        parts += ["", *_reports()]
    return "\n".join([*parts, ""])


def _reports() -> list[str]:
    why = (
        "Reports, which have no sender, go to the MX endpoint: encrypted and "
        "verified as all else, without sign-in, at the pace of a few."
    )
    return [
        comment(why),
        "mx         unix       -  -  n  -      -  smtp",
        "  -o smtp_sasl_auth_enable=no",
        "  -o syslog_name=postfix/mx",
    ]
