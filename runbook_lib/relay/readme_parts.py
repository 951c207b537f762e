"""Parts of the README that depend on the upstream."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.deadlines import SMTP_AUTH
from runbook_lib.relay.design import Balancer, RelayDesign, Upstream
from runbook_lib.relay.lookup_tables import WAITING


def secrets(design: RelayDesign) -> str:
    """Return how secrets are put in; none is in the rendered files."""
    texts = {
        Upstream.OAUTH_PROXY: _proxy_secrets,
        Upstream.OAUTH_TOKEN_FILE: _token_secrets,
        Upstream.PASSWORD: _password,
    }
    part = texts.get(design.upstream)
    return part(design) if part else ""


def _proxy_secrets(design: RelayDesign) -> str:
    places = design.places
    local = f"""
## Secrets

The rendered files have placeholders. The password between Postfix and the proxy is
made here and known nowhere else:

```sh
LOCAL=$(openssl rand -hex 24) perl -pi -e 's/\\@LOCAL_PASSWORD\\@/$ENV{{LOCAL}}/' \\
  {places.config}/sasl_passwd
"""
    if design.application and design.application.credential == "certificate":
        return f"""{local}```

The application's certificate and its RSA key: `{places.proxy_certificate}` and
`{places.proxy_key}` (owner emailproxy, mode 0600).
"""
    return f"""{local}read -rsp 'client secret: ' SECRET; export SECRET
perl -pi -e 's/\\@CLIENT_SECRET\\@/$ENV{{SECRET}}/' {places.proxy_config}
unset SECRET; chown emailproxy: {places.proxy_config}
```

At the first sign-in the proxy encrypts the client secret with that password.
A new client secret: stop the proxy, put the line `client_secret = …` in again and
remove `client_secret_encrypted`, start it.
"""


def _token_secrets(design: RelayDesign) -> str:
    return """
## Secrets

The client secret, or the application's key followed by its certificate (PEM), goes
to `/etc/relay-token/application` (root, mode 0600). systemd lends it to the unit.
"""


def _password(design: RelayDesign) -> str:
    lines = "\n".join(f"* {sentence}" for sentence in SMTP_AUTH.sentences())
    return f"""
## Secrets

```sh
read -rsp 'password: ' SECRET; export SECRET
perl -pi -e 's/\\@MAILBOX_PASSWORD\\@/$ENV{{SECRET}}/' \\
  {design.places.config}/sasl_passwd
unset SECRET
```

**This sign-in ends.** What Microsoft had announced on {SMTP_AUTH.as_of.isoformat()}:

{lines}

Source: <{SMTP_AUTH.source}>. Plan the change to `oauth-proxy`.
"""


def components(design: RelayDesign) -> str:
    """Return how each component is started, watched, upgraded and stopped."""
    rows = [
        (
            "Postfix",
            "`systemctl start postfix`",
            f"`{design.places.log}`, `postqueue -p`",
            "`apt-get install postfix`, `postfix check`",
            "`systemctl stop postfix`: mail stays in the queue",
        )
    ]
    if design.upstream is Upstream.OAUTH_PROXY:
        rows.append(
            (
                "emailproxy",
                "`systemctl start emailproxy`",
                "`journalctl -u emailproxy`",
                "`/opt/emailproxy/bin/pip install emailproxy==VERSION`, restart",
                "`systemctl stop emailproxy`: mail waits",
            )
        )
    if design.upstream is Upstream.OAUTH_TOKEN_FILE:
        rows.append(
            (
                "relay-token",
                "`systemctl start relay-token`",
                "`journalctl -u relay-token`; age of the token file",
                "`/opt/runbook/bin/pip install sap-exchange-runbooks==VERSION`, "
                "restart",
                "`systemctl stop relay-token`: mail goes until the token ends",
            )
        )
    if design.balancer is Balancer.HAPROXY:
        rows.append(
            (
                "haproxy (its own host)",
                "`systemctl start haproxy`",
                "`journalctl -u haproxy`",
                "`apt-get install haproxy`, `haproxy -c -f haproxy.cfg`",
                "`systemctl stop haproxy`: SAP's mail waits in SOST",
            )
        )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""
## Components

| component | start | watch | upgrade | stop |
|---|---|---|---|---|
{table}

Order of an upgrade: one relay after the other; `postfix flush` afterwards; wait for
an empty queue before the next.
"""


def watching(design: RelayDesign) -> str:
    """Return what to look at, and when to worry."""
    places = design.places
    token = ""
    if design.upstream is Upstream.OAUTH_TOKEN_FILE:
        token = f" --token {places.token}"
    if design.upstream is Upstream.OAUTH_PROXY:
        token = f" --token {places.proxy_config}"
    return f"""
## Watch

```sh
runbook probe --relay {_reached(design)} --host {design.hostname} \\
  --sender {design.mailbox} --queue {places.config}{token} --output relay.json
```

on this host looks at TLS, asks to relay as a stranger (this host is in no network that
may), counts the queue and reads when the token ends; nothing is sent. A certificate of
your own authority needs `--ca FILE`. The runbook takes the file in (`probe`).

| look at | worry |
|---|---|
| oldest message in the queue | older than one hour |
| number in the queue | more than the sizing says for one hour |
| `status=deferred` in the log | the same reason for an hour |
| `status=bounced` in the log | each one: SAP's sender has got a report |
| free space of {places.queue} | less than the sizing asks for |
"""


def _reached(design: RelayDesign) -> str:
    """Return where a client reaches the relay, or the load balancer before it."""
    if design.balancer is Balancer.HAPROXY:
        return f"{design.balancers[0]}:{design.balancer_port}"
    return f"{design.listen}:{design.port}"


CASES = {
    "Exchange Online is away, or answers 421, 432, 451, 454": "the mail waits and is "
    "tried again",
    "sign-in refused (535)": "the mail waits; the host is tried a few times, not once "
    "for each message",
    "no TLS offered, or a certificate that is not right": "the mail waits; nothing is "
    "sent",
    "recipient unknown (550 5.1.10)": "the sender gets a report",
    "sender not allowed (554 5.2.252, 550 5.7.60)": "the sender gets a report",
    "power failure": "what SAP was told is taken (250) is in the queue; a message may "
    "come twice",
    "this host is lost with its disk": "what was in its queue is lost: put the queue "
    "on a disk that survives",
}


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(f"| {one} | {other} |" for one, other in rows.items())


def traps(design: RelayDesign) -> str:
    """Return what goes wrong, and what this set-up does about it."""
    waits = _table({f"`{code}`": why for code, why in WAITING.items()})
    return f"""
## What goes wrong, and what happens then

| case | what happens |
|---|---|
{_table(CASES)}

These refusals end a message elsewhere; here they wait, because the fault is in the
set-up:

| code | meaning |
|---|---|
{waits}

{_refresh(design)}
Never run Postfix's smtp service with `-v`: the log would hold the sign-in.
After a kill -9 of Postfix wait until all its processes have ended, then start it.
Start it by `systemctl`, which gives the log to the user postfix first
(`postfix-log.conf`): without that a start after a power failure can end with "cannot
open file: Permission denied". Mail that was acknowledged stands in the queue.
Exchange Online gives each submitted message a Message-ID of its own and keeps SAP's
as `X-Microsoft-Original-Message-ID`; the relay changes neither.
"""


def _refresh(design: RelayDesign) -> str:
    """Return how a token that was withdrawn before its time is renewed."""
    if design.upstream is Upstream.OAUTH_TOKEN_FILE:
        return (
            "A token that Exchange Online no longer takes (535 5.7.3 before its end) "
            "is renewed by\nrelay-token by itself, once in five minutes; by hand: "
            "`runbook relay-token --force FILE`.\n"
        )
    if design.upstream is Upstream.OAUTH_PROXY:
        config = design.places.proxy_config
        return f"""\
A token that Exchange Online no longer takes (535 5.7.3 before its end) is used by the
proxy until it ends. To force a new one:

```sh
systemctl stop emailproxy
sed -i -E '/^access_token(_expiry)? *=/d' {config}
systemctl start emailproxy && postfix -c {design.places.config} flush
```
"""
    return ""


def networks(design: RelayDesign) -> str:
    """Return what networks have to let through, in a hub or a DMZ."""
    port = design.host_port
    token = " and to the token endpoint, port 443" if design.upstream.by_token else ""
    blocked = (
        "\nAzure blocks outbound port 25 in most subscriptions; only Enterprise "
        "Agreement and MCA-E lift it."
        if design.upstream.by_connector
        else "\nReports go to the MX endpoint on port 25; where that is blocked "
        "(Azure), they wait and end after the queue's lifetime."
    )
    azure = """
Azure Load Balancer: a rule for the relay's TCP port with session persistence by client
IP; health probe TCP on that port. It keeps SAP's address, so no PROXY header is used.
The outbound address is that of a NAT gateway or of an outbound rule, not of the load
balancer's front end.
"""
    return f"""
## Network

Hub and spoke: the relay stands in the hub; spokes reach it by peering, with the SAP
subnets' own addresses (no SNAT on the way in, or every client looks like the firewall:
then the firewall's address would be let in, and with it everybody behind it).
DMZ: from SAP to the relay port {design.port}; from the relay to {design.host} port
{port}, to DNS{token}; nothing from the internet to the relay.
SNAT: the relay leaves by one static public address that is yours alone. It belongs
into the SPF record{", and into the connector" if design.upstream.by_connector else ""}.
{blocked}
{azure if design.balancer is Balancer.AZURE else ""}"""


def back_out(design: RelayDesign) -> str:
    """Return how to go back."""
    config = design.places.config
    return f"""
## Back-out

1. Enter the former mail host in SCOT; SAP sends there from now on.
2. `postfix -c {config} flush`, then `postqueue -c {config} -p` until it says that the
   queue is empty. What cannot be handed on is shown by `postcat -c {config} -q ID`, and
   sent again from SAP (SOST).
3. `systemctl disable --now postfix` and the services above; remove the files that
   *Install* names, and the credential of the application if nobody else uses it.
"""
