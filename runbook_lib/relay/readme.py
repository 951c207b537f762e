"""README.md: how an operator installs, starts, watches, upgrades and stops it."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_lib.relay.design import Balancer, RelayDesign, Upstream
from runbook_lib.relay.readme_parts import (
    back_out,
    components,
    networks,
    secrets,
    traps,
    watching,
)

PACKAGES = {
    Upstream.OAUTH_PROXY: "postfix libsasl2-modules python3-venv swaks",
    Upstream.OAUTH_TOKEN_FILE: "postfix libsasl2-modules python3-venv swaks",
    Upstream.CONNECTOR_ADDRESS: "postfix swaks",
    Upstream.CONNECTOR_CERTIFICATE: "postfix swaks",
    Upstream.PASSWORD: "postfix libsasl2-modules swaks",
}
TRIED = {
    Upstream.OAUTH_PROXY: "with Postfix 3.7.11 (Debian 12) and emailproxy 2026.7.3",
    Upstream.OAUTH_TOKEN_FILE: "the token file with Exim 4.96 (Debian 12). **Not "
    "tried: Postfix with the plugin sasl-xoauth2**, which Debian 12 and 13 do not "
    "have; without it mail waits in the queue",
    Upstream.CONNECTOR_ADDRESS: "with Postfix 3.7.11 (Debian 12)",
    Upstream.CONNECTOR_CERTIFICATE: "with Postfix 3.7.11 (Debian 12)",
    Upstream.PASSWORD: "with Postfix 3.7.11 (Debian 12), against a server that is "
    "not Exchange Online; there the password will end",
}


def readme(design: RelayDesign, installed: Sequence[tuple[str, str, int]]) -> str:
    """Return the README; `installed` has name, path and mode of each file."""
    parts = [
        _head(design),
        _install(design, installed),
        secrets(design),
        _start(design),
        components(design),
        _first_test(design),
        watching(design),
        traps(design),
        networks(design),
        back_out(design),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _head(design: RelayDesign) -> str:
    return f"""
# Mail relay {design.hostname}

SAP hands its mail to Postfix on this host, which hands it to Exchange Online.
Upstream: **{design.upstream}**, {design.host} port {design.host_port}.
Tried {TRIED[design.upstream]}.

| who may relay | |
|---|---|
| from | {", ".join(design.networks)} |
| as | {", ".join(design.senders)} |
| encrypted | {"if SAP can" if design.clear_from_sap else "always"} |
| relays | {design.relays}, load balancer: {design.balancer} |
"""


def _install(design: RelayDesign, installed: Sequence[tuple[str, str, int]]) -> str:
    rows = "\n".join(
        f"install -D -m {mode:04o} {name} {path}" for name, path, mode in installed
    )
    return f"""
## Install

As root, on Debian 12, in the folder of these files:

```sh
apt-get install --no-install-recommends {PACKAGES[design.upstream]}
{_programs(design)}{rows}
```

The certificate by which SAP knows the relay, with key and chain in one file
(mode 0600), goes to `{design.places.server_certificate}`; SAP trusts its authority
in STRUST.{_connector_certificate(design)}
"""


def _programs(design: RelayDesign) -> str:
    if design.upstream is Upstream.OAUTH_PROXY:
        return """\
adduser --system --group --no-create-home emailproxy
python3 -m venv /opt/emailproxy
/opt/emailproxy/bin/pip install emailproxy==2026.7.3
install -d -m 0700 -o emailproxy -g emailproxy /etc/emailproxy
"""
    if design.upstream is Upstream.OAUTH_TOKEN_FILE:
        return """\
python3 -m venv /opt/runbook
/opt/runbook/bin/pip install sap-exchange-runbooks
install -d -m 0700 /etc/relay-token
"""
    return ""


def _connector_certificate(design: RelayDesign) -> str:
    if design.upstream is not Upstream.CONNECTOR_CERTIFICATE:
        return ""
    return (
        f"\nThe connector's certificate, of a public authority, with key and chain in "
        f"one file (mode 0600),\ngoes to `{design.places.client_certificate}`."
    )


def _start(design: RelayDesign) -> str:
    config = design.places.config
    service = {
        Upstream.OAUTH_PROXY: "systemctl enable --now emailproxy\n",
        Upstream.OAUTH_TOKEN_FILE: "systemctl enable --now relay-token\n",
    }.get(design.upstream, "")
    return f"""
## Start

```sh
nft -c -f nftables.conf   # then take it into /etc/nftables.conf
postfix -c {config} check # says nothing if all is well
{service}systemctl enable --now postfix
```
"""


def _first_test(design: RelayDesign) -> str:
    config = design.places.config
    other = " The proxy's own log follows." if design.upstream.by_token else ""
    behind = (
        "\nThe port itself answers the load balancer only: the test above does not "
        "use it.\n"
        if design.balancer is Balancer.HAPROXY
        else ""
    )
    return f"""
## Send a test mail from the relay itself first

Before SAP is touched, as root on this host:

```sh
printf '%s\\n' 'From: {design.mailbox}' 'To: RECIPIENT' \\
  'Subject: relay-test:RUN' '' 'A test.' \\
  | sendmail -C {config} -f {design.mailbox} -t
postqueue -c {config} -p
tail {design.places.log}
```

`status=sent (250 2.0.0 OK …)` and an empty queue are what it should be.{other}
The runbook finds the message in the message trace by its subject; RUN is the run id.
{behind}"""
