"""main.cf: what Postfix may take, from whom, and how it hands it on."""

from __future__ import annotations

from runbook_lib.relay.design import Balancer, RelayDesign
from runbook_lib.relay.settings import Section, Setting, rendered
from runbook_lib.relay.upstream import hand_over, sign_in


def main_cf(design: RelayDesign) -> str:
    """Return the whole main.cf of a guarded design."""
    heading = (
        f"Postfix as mail relay between SAP and Exchange Online: {design.hostname}, "
        f"upstream {design.upstream}. Rendered; change the parameters and render "
        "again. Never append a parameter that is already here: use "
        f"`postconf -c {design.places.config} -e NAME=VALUE`."
    )
    sections = (
        _own_files(design),
        _own_name(design),
        _who_may_relay(design),
        _taking(design),
        hand_over(design),
        sign_in(design),
        _queue(design),
    )
    return rendered(heading, sections)


def _own_files(design: RelayDesign) -> Section:
    places = design.places
    environment = "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C"
    plugins = f"SASL_PATH={places.sasl_plugins}"
    return Section(
        "Files",
        (
            Setting(
                "compatibility_level",
                "3.6",
                "Defaults as of Postfix 3.6, whatever version runs.",
            ),
            Setting("queue_directory", places.queue),
            Setting("data_directory", places.data),
            Setting("command_directory", places.programs),
            Setting("daemon_directory", places.daemons),
            Setting("mail_owner", "postfix"),
            Setting("setgid_group", "postdrop"),
            Setting(
                "maillog_file",
                places.log,
                "A log of its own: it is what watching and the renewal of tokens "
                "read. `postfix logrotate` turns it over.",
            ),
            Setting("maillog_file_prefixes", places.log_prefixes),
            Setting("import_environment", f"{environment} {plugins}"),
        ),
    )


def _own_name(design: RelayDesign) -> Section:
    return Section(
        "Name; no local mail",
        (
            Setting(
                "myhostname",
                design.hostname,
                "Exchange Online wants a full name in EHLO (else 501 5.5.4).",
            ),
            Setting(
                "inet_interfaces", design.listen, "The one address that SAP reaches."
            ),
            Setting("inet_protocols", "ipv6" if ":" in design.listen else "all"),
            Setting(
                "mydestination",
                "",
                "This host keeps no mail: what it cannot hand on stays in the queue.",
            ),
            Setting("local_recipient_maps", ""),
            Setting("local_transport", "error:no local delivery on this relay"),
            Setting("alias_maps", ""),
            Setting("alias_database", ""),
            Setting("biff", "no"),
            Setting(
                "append_dot_mydomain",
                "no",
                "Addresses stay as SAP wrote them. Without clients in the next list "
                "no header is rewritten either, and a Message-ID is kept.",
            ),
            Setting("local_header_rewrite_clients", ""),
            Setting(
                "authorized_submit_users",
                "root",
                "On this host only root may hand in mail by sendmail: for tests.",
            ),
        ),
    )


def _who_may_relay(design: RelayDesign) -> Section:
    tables = design.places.config
    return Section(
        "Who may relay",
        (
            Setting(
                "mynetworks",
                " ".join(design.networks),
                "The SAP hosts. Whoever is in here may send to the whole world.",
            ),
            Setting("mynetworks_style", "host"),
            Setting("smtpd_client_restrictions", "permit_mynetworks, reject"),
            Setting("smtpd_helo_required", "yes"),
            Setting(
                "smtpd_sender_restrictions",
                "reject_non_fqdn_sender, "
                f"check_sender_access texthash:{tables}/senders, reject",
                "Only these senders; a domain stands for itself, not for those "
                "below it.",
            ),
            Setting("parent_domain_matches_subdomains", ""),
            Setting("smtpd_relay_restrictions", "permit_mynetworks, reject"),
            Setting(
                "smtpd_recipient_restrictions",
                "reject_non_fqdn_recipient, permit_mynetworks, reject",
            ),
            Setting("smtpd_delay_reject", "yes"),
            Setting("disable_vrfy_command", "yes"),
            Setting("smtpd_etrn_restrictions", "reject"),
            Setting("smtpd_discard_ehlo_keywords", "etrn, silent-discard"),
            *_behind_a_balancer(design),
        ),
    )


def _behind_a_balancer(design: RelayDesign) -> tuple[Setting, ...]:
    if design.balancer is not Balancer.HAPROXY:
        return ()
    return (
        Setting(
            "smtpd_upstream_proxy_protocol",
            "haproxy",
            "The load balancer names the real client; without that every client "
            "would look like the load balancer. A connection without the header "
            "is closed. Whoever reaches this port could write the header himself: "
            "nftables.conf lets in the load balancer alone.",
        ),
        Setting("smtpd_upstream_proxy_timeout", "5s"),
    )


def _taking(design: RelayDesign) -> Section:
    level = "may" if design.clear_from_sap else "encrypt"
    why = (
        "SAP hosts whose kernel or CommonCryptoLib cannot do TLS 1.2 hand over in "
        "the clear: keep the way to them inside your own network."
        if design.clear_from_sap
        else "SAP hands over by TLS (SCOT: TLS mandatory), or not at all."
    )
    return Section(
        "Taking mail from SAP",
        (
            Setting("smtpd_tls_security_level", level, why),
            Setting("smtpd_tls_chain_files", design.places.server_certificate),
            Setting("smtpd_tls_protocols", ">=TLSv1.2"),
            Setting("smtpd_tls_mandatory_protocols", ">=TLSv1.2"),
            Setting("smtpd_tls_mandatory_ciphers", "high"),
            Setting("smtpd_tls_loglevel", "1"),
            Setting("smtpd_sasl_auth_enable", "no"),
            Setting("smtpd_banner", "$myhostname ESMTP"),
            Setting(
                "message_size_limit",
                str(design.message_size),
                "Bytes on the wire: an attachment grows by a third. No more than "
                "Exchange Online takes for the mailbox, so that SAP is told at once.",
            ),
            Setting("mailbox_size_limit", "0"),
            Setting(
                "smtpd_forbid_bare_newline",
                "normalize",
                "No second message may hide in a line end (SMTP smuggling).",
            ),
            Setting(
                "in_flow_delay",
                "0",
                "A burst is taken as fast as it comes and waits in the queue.",
            ),
        ),
    )


def _queue(design: RelayDesign) -> Section:
    least, most = design.places.backoff
    days = f"{design.queue_days}d"
    return Section(
        "Queue",
        (
            Setting(
                "maximal_queue_lifetime",
                days,
                "So long a message is tried; then its sender gets a report. A "
                "message that must not come late is of no use after that.",
            ),
            Setting("bounce_queue_lifetime", days),
            Setting("delay_warning_time", "0h"),
            Setting("minimal_backoff_time", f"{least}s"),
            Setting("maximal_backoff_time", f"{most}s"),
            Setting("queue_run_delay", f"{least}s"),
            Setting(
                "notify_classes",
                "",
                "Reports go to the sender. The postmaster reads the log.",
            ),
        ),
    )
