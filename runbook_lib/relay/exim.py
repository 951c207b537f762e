"""The same relay with Exim, which reads the token file without a plugin."""

from __future__ import annotations

from runbook_lib.relay.design import RelayDesign
from runbook_lib.relay.settings import comment

# The longest line that Exim 4.96 sends; a sign-in is a third longer than its token.
LONGEST_TOKEN = 2900


def exim_conf(design: RelayDesign) -> str:
    """Return the whole configuration of Exim.

    Source: Exim specification, chapters "The smtp transport" and "The plaintext
    authenticator"; tried with exim4-daemon-light 4.96.
    """
    blocks = (
        _main(design),
        _acl(design),
        _routers(design),
        _transports(design),
        _retry(design),
        _authenticator(design),
    )
    return "\n".join(blocks)


def _main(design: RelayDesign) -> str:
    places = design.places
    heading = comment(
        f"Exim as mail relay between SAP and Exchange Online: {design.hostname}. "
        "For hosts where Postfix's plugin sasl-xoauth2 cannot be had. A token of "
        f"more than about {LONGEST_TOKEN} characters is too long for Exim's sign-in: "
        "then take the proxy."
    )
    return f"""{heading}

primary_hostname = {design.hostname}
hostlist sap_hosts = <; {" ; ".join(design.networks)}
domainlist local_domains =
local_interfaces = <; {design.listen}
daemon_smtp_ports = {design.port}
exim_path = {places.exim_program}
exim_user = {places.exim_user}
exim_group = {places.exim_user}
spool_directory = {places.exim_spool}
log_file_path = {places.exim_log}
pid_file_path = {places.exim_spool}/exim.pid
message_size_limit = {design.message_size}
{comment("Taken into the queue first; a runner hands on, one at a time.")}
queue_only
queue_run_max = 1
smtp_accept_max = 50
tls_certificate = {places.server_certificate}
tls_advertise_hosts = *
acl_smtp_mail = check_sender
acl_smtp_rcpt = check_recipient
acl_smtp_vrfy = deny
acl_smtp_etrn = deny
{comment("No report of a report; mail of no use is dropped after the last try.")}
ignore_bounce_errors_after = {design.queue_days}d
timeout_frozen_after = {design.queue_days}d
keep_environment =
{comment("Only root may hand in mail on this host.")}
trusted_users = root
"""


def _acl(design: RelayDesign) -> str:
    addresses = " : ".join(s for s in design.senders if "@" in s)
    tls = "" if design.clear_from_sap else "\n          encrypted = *"
    return f"""
begin acl

{comment("Who may relay: the SAP hosts, with these senders, encrypted.")}
check_sender:
  accept  hosts = +sap_hosts
          senders = {addresses}{tls}
  deny    message = relaying is not for you

check_recipient:
  accept  hosts = +sap_hosts
  deny    message = relaying is not for you
"""


def _routers(design: RelayDesign) -> str:
    return f"""
begin routers

{comment("Reports have no sender: to the MX endpoint, without sign-in.")}
reports:
  driver = manualroute
  senders = :
  route_list = * {design.mx}::{design.mx_port} {_lookup(design)}
{_this_host(design)}  transport = mx
  no_more

upstream:
  driver = manualroute
  route_list = * {design.submission}::{design.submission_port} {_lookup(design)}
{_this_host(design)}  transport = submission
  no_more
"""


def _lookup(design: RelayDesign) -> str:
    return "byname" if design.places.lookup == "native" else "bydns"


def _this_host(design: RelayDesign) -> str:
    """Return what lets mail go to an upstream on this host, where names are local."""
    return "  self = send\n" if design.places.lookup == "native" else ""


def _transports(design: RelayDesign) -> str:
    secured = f"""\
  hosts_require_tls = *
  tls_tempfail_tryclear = false
  tls_verify_certificates = {design.places.trust}
  tls_verify_hosts = *
  helo_data = {design.hostname}
  max_rcpt = 100
{comment("Exim would return a message with longer lines than 998 octets.")}
  message_linelength_limit = 1000000
{_here(design)}"""
    return f"""
begin transports

{comment("Signed in, encrypted, verified; or not at all.")}
submission:
  driver = smtp
  hosts_require_auth = *
  max_parallel = {design.own_connections}
{secured}
mx:
  driver = smtp
  hosts_avoid_pipelining = *
{secured}"""


def _here(design: RelayDesign) -> str:
    """Return what lets a transport connect to this host, where names are local."""
    return "  allow_localhost\n" if design.places.lookup == "native" else ""


def _retry(design: RelayDesign) -> str:
    least, most = design.places.backoff
    return f"""
begin retry

* * F,{design.queue_days * 24}h,{least}s ; G,{design.queue_days * 24}h,{most}s,1.5
"""


def _authenticator(design: RelayDesign) -> str:
    token = (
        f"${{extract jsons{{access_token}}{{${{readfile{{{design.places.token}}}}}}}}}"
    )
    return f"""
begin authenticators

{comment("The token is read anew for each sign-in.")}
xoauth2:
  driver = plaintext
  public_name = XOAUTH2
  client_send = "user={design.mailbox}\\001auth=Bearer {token}\\001\\001"
"""
