"""How Postfix hands mail to each upstream: TLS, sign-in, limits."""

from __future__ import annotations

from runbook_lib.relay.design import RelayDesign, Upstream
from runbook_lib.relay.settings import Section, Setting

# Which SASL mechanism each upstream speaks.
MECHANISM = {
    Upstream.OAUTH_PROXY: "plain",
    Upstream.OAUTH_TOKEN_FILE: "xoauth2",
    Upstream.PASSWORD: "login",
}
# Connections of one relay to a connector; Exchange Online publishes no number.
CONNECTOR_CONNECTIONS = 10


def hand_over(design: RelayDesign) -> Section:
    """Return where mail goes, encrypted and to a verified host only."""
    places = design.places
    return Section(
        "Handing mail to Exchange Online",
        (
            Setting(
                "relayhost",
                design.next_hop,
                "Everything goes this one way. In brackets: no MX look-up.",
            ),
            Setting("smtp_host_lookup", places.lookup),
            Setting("smtp_helo_name", "$myhostname"),
            *_leaving(design),
            Setting(
                "smtp_tls_security_level",
                "secure",
                "Encrypted, with a certificate of a known authority that carries "
                "the name of the next hop; else the message waits.",
            ),
            Setting("smtp_tls_secure_cert_match", "nexthop"),
            Setting("smtp_tls_CAfile", places.trust),
            Setting("smtp_tls_protocols", ">=TLSv1.2"),
            Setting("smtp_tls_mandatory_protocols", ">=TLSv1.2"),
            Setting("smtp_tls_mandatory_ciphers", "high"),
            Setting("smtp_tls_loglevel", "1"),
            *_exception(design),
            *_client_certificate(design),
            *_pace(design),
            Setting(
                "smtp_delivery_status_filter",
                f"regexp:{places.config}/deferred_replies",
                "Refusals that say this relay or the tenant is not set up right: "
                "the mail waits until that is mended and is not lost.",
            ),
        ),
    )


def _leaving(design: RelayDesign) -> tuple[Setting, ...]:
    if not design.leave_by:
        return ()
    name = "smtp_bind_address6" if ":" in design.leave_by else "smtp_bind_address"
    why = "Of the addresses of this host, the one by which mail leaves."
    return (Setting(name, design.leave_by, why),)


def _exception(design: RelayDesign) -> tuple[Setting, ...]:
    if design.upstream is not Upstream.OAUTH_PROXY:
        return ()
    return (
        Setting(
            "smtp_tls_policy_maps",
            f"texthash:{design.places.config}/tls_policy",
            "The one exception: the proxy on this host, over loopback. It encrypts "
            "and verifies on the way out.",
        ),
    )


def _client_certificate(design: RelayDesign) -> tuple[Setting, ...]:
    if design.upstream is not Upstream.CONNECTOR_CERTIFICATE:
        return ()
    return (
        Setting(
            "smtp_tls_chain_files",
            design.places.client_certificate,
            "Key and chain by which the inbound connector knows this relay; the "
            "name in it is the connector's TlsSenderCertificateName.",
        ),
    )


def _pace(design: RelayDesign) -> tuple[Setting, ...]:
    if design.upstream.by_connector:
        return (
            Setting(
                "smtp_destination_concurrency_limit",
                str(CONNECTOR_CONNECTIONS),
                "No limit of a connector is published; this is a courtesy.",
            ),
            Setting("smtp_destination_recipient_limit", "100"),
            Setting("smtp_tls_connection_reuse", "yes"),
        )
    # tlsproxy has no part in the clear connection to the proxy on this host, and a
    # kept connection would keep a sign-in of the mailbox.
    reuse = "no" if design.upstream is Upstream.OAUTH_PROXY else "yes"
    return (
        Setting(
            "smtp_destination_concurrency_limit",
            str(design.own_connections),
            f"A mailbox may have {design.limits.connections} connections, over all "
            f"relays and whoever else signs in as it: {design.connections} are for "
            f"the relays, of which there are {design.relays}. More gets "
            "432 4.3.2.",
        ),
        Setting(
            "smtp_destination_rate_delay",
            f"{design.pause}s",
            f"A mailbox may send {_rate(design)} messages a minute, over all relays. "
            "With a pause there is one connection at a time.",
        ),
        Setting(
            "smtp_destination_recipient_limit",
            "100",
            "Recipients in one message; 1 would change the meaning of the two "
            "settings above.",
        ),
        Setting("smtp_tls_connection_reuse", reuse),
        Setting("smtp_connection_cache_on_demand", reuse),
    )


def _rate(design: RelayDesign) -> str:
    return str(design.limits.messages_per_minute or "any number of")


def sign_in(design: RelayDesign) -> Section:
    """Return how Postfix signs in, or that it does not."""
    if design.upstream.by_connector:
        why = "The connector knows this relay; Exchange offers no sign-in on port 25."
        return Section("Sign-in", (Setting("smtp_sasl_auth_enable", "no", why),))
    tables = design.places.config
    return Section(
        "Sign-in",
        (
            Setting("smtp_sasl_auth_enable", "yes"),
            Setting(
                "smtp_sasl_password_maps",
                f"texthash:{tables}/sasl_passwd, static:{NOBODY}",
                "If the next hop is missing in the table, Postfix would send without "
                "sign-in, and the refusal would end the message. The name behind it "
                "is nobody's: its sign-in is refused, and the message waits.",
            ),
            Setting("smtp_sasl_mechanism_filter", MECHANISM[design.upstream]),
            Setting("smtp_sasl_security_options", "noanonymous"),
            Setting("smtp_sasl_tls_security_options", "noanonymous"),
            Setting(
                "smtp_sasl_auth_soft_bounce",
                "yes",
                "A refused sign-in delays mail; it never returns it.",
            ),
            Setting(
                "sender_dependent_default_transport_maps",
                f"texthash:{tables}/null_sender",
                "Reports have no sender, and a mailbox may not send as nobody: they "
                "go to the MX endpoint, without sign-in, to your own domains only.",
            ),
        ),
    )


# User and password for a next hop that the table does not know.
NOBODY = "nobody@sign-in.invalid:none"
