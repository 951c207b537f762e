"""Where the files of a relay stand; by default where Debian has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """Folders and files on the relay's host.

    `lookup` is how host names are resolved: `dns`, or `native` where names stand
    in /etc/hosts. `backoff` are the least and the most seconds between two tries.
    """

    config: str = "/etc/postfix"
    queue: str = "/var/spool/postfix"
    data: str = "/var/lib/postfix"
    log: str = "/var/log/postfix.log"
    log_prefixes: str = "/var, /dev/stdout"
    programs: str = "/usr/sbin"
    daemons: str = "/usr/lib/postfix/sbin"
    sasl_plugins: str = "/usr/lib/x86_64-linux-gnu/sasl2"
    trust: str = "/etc/ssl/certs/ca-certificates.crt"
    server_certificate: str = "/etc/postfix/tls/relay.pem"
    client_certificate: str = "/etc/postfix/tls/connector.pem"
    proxy_config: str = "/etc/emailproxy/emailproxy.config"
    proxy_certificate: str = "/etc/emailproxy/application.crt"
    proxy_key: str = "/etc/emailproxy/application.key"
    token: str = "/var/lib/relay-token/token.json"  # noqa: S105 - a path
    token_config: str = "/etc/relay-token/relay-token.yaml"  # noqa: S105 - a path
    exim_spool: str = "/var/spool/exim4"
    exim_log: str = "/var/log/exim4/%slog"
    exim_program: str = "/usr/sbin/exim4"
    exim_user: str = "Debian-exim"
    lookup: str = "dns"
    backoff: tuple[int, int] = (300, 1800)


DEBIAN = Places()
