"""One sentence per remedy id; docs/troubleshooting.md has a section for each."""

from __future__ import annotations

from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    # By step: what to do if its own properties are not as expected.
    "sap-release-supports-credential": "Upgrade, use a client secret, or choose "
    "another option for this SAP release.",
    "operator-permissions": "Give the operator's application what is missing, and "
    "consent to it.",
    "sender-mailbox": "Name the primary address of an enabled user or shared mailbox.",
    "sender-domain": "Use an address in an accepted domain, or verify the domain.",
    "sender-addresses": "Correct the address, or give it to a mailbox.",
    "alias-sending": "Let the organization allow it (alias_sending), or send from the "
    "mailbox's own address.",
    "submission-endpoint": "Open TCP port 587 and DNS for the SMTP host on the SAP "
    "host's way to the internet.",
    "organization-smtp-auth": "Read the setting with Get-TransportConfig.",
    "security-defaults": "Read the policy as a person with Policy.Read.All.",
    "application-management-policy": "Ask the policy's owner for an exemption, or use "
    "a certificate.",
    "register-application": "Run plan, then apply; or restore a deleted application "
    "within 30 days.",
    "declare-send-as-app": "Run plan, then apply.",
    "create-service-principal": "Run plan, then apply.",
    "grant-admin-consent": "Run plan, then apply, as an operator who may consent.",
    "create-client-secret": "Run plan, then apply: a new secret goes into the sink.",
    "register-exchange-service-principal": "Run plan, then apply.",
    "grant-mailbox-full-access": "Run plan, then apply.",
    "mailbox-delegation": "Give the service principal full access to the mailbox.",
    "grant-send-as": "Run plan, then apply.",
    "allow-alias-sending": "Run plan, then apply.",
    "send-from-further-senders": "Look for the messages in the message trace.",
    "enable-authenticated-smtp": "Run plan, then apply.",
    "obtain-access-token": "Compare the token's claims with the application and its "
    "service principal.",
    "sign-in-to-smtp": "Read the server's reply in the record.",
    "send-test-message:internal": "Look for the message in the message trace.",
    "send-test-message:external": "Look for the message in the message trace.",
    "sap-notes-implemented": "Hand in what SNOTE shows for each note.",
    "jwt-certificate-exported": "Hand in the exported certificate: RSA, valid, without "
    "a private key.",
    "network-from-sap-host": "Hand in telnet, niping or openssl output of the SAP "
    "host.",
    "icm-service-active": "Hand in RZ11 or the profile, and the services of SMICM.",
    "sap-connect-service-active": "Activate SAPconnect in SICF, and hand in its "
    "status.",
    "oauth-client-configured": "Compare SOAUTH2_CLIENT with the handover sheet, line "
    "by line.",
    "smtp-configured": "Compare the SMTP configuration with the handover sheet.",
    "default-domain-set": "Set the default domain in SCOT to the mailbox's domain.",
    "communication-arrangement-configured": "Compare SAP_COM_0548 with the handover "
    "sheet.",
    "test-mail-sent": "Send from SBWP with the run id in the title, and hand in the "
    "SOST row.",
    "upload-certificate": "Give the certificate that SAP exported, then run plan and "
    "apply.",
    "no-entra-permission": "Let the grantor take it back, or choose full-access.",
    "limit-to-sender-group": "Run plan, then apply.",
    "assign-send-as-app-role": "Run plan, then apply.",
    "service-principal-authorization": "Put the mailbox into the group; a new "
    "assignment takes up to two hours.",
    "sign-in-with-temporary-secret": "Read the server's reply in the record.",
    "sap-token-test": "Hand in what Request Token of SOAUTH2_CLIENT shows.",
    "mail-policies": "Give the operator the right to read Exchange Online.",
    "choose-option": "Answer the questions, fill in the parameters, and run again.",
    "operator-reads-mail-flow": "Give the operator what is missing, and consent to it.",
    "operator-manages-connectors": "Give the operator what is missing, and consent "
    "to it.",
    "internal-recipients": "Use option 1 or 3 for recipients outside; correct unknown "
    "addresses.",
    "relay-conditions": "State why option 1 does not fit, or use the option that does.",
    "sender-identification": "Give the static public IPv4 address, or the name of the "
    "certificate.",
    "sender-attested": "Hand in that the address is static, unshared and yours.",
    "direct-send-policy": "Use option 3: its connector makes SAP known.",
    "mx-endpoint": "Set the domain up for Exchange, or correct it in the tenant file.",
    "mx-port": "Run `runbook probe --port 25` on the SAP host; open the port there.",
    "connector-conflicts": "Ask the owner of the other connector, or name that one.",
    "create-relay-connector": "Run plan, then apply; or choose another connector_name.",
    "spf-record": "Publish the record that the card shows in the place of the old one.",
    "relay-configuration": "Name the SAP hosts, their senders and the upstream "
    "exactly; an open relay is not rendered.",
    "relay-sizing": "Add mailboxes or take a connector; more relays send no more.",
    "relay-running": "Run `runbook probe --relay` on the relay, mend what it shows, "
    "and give its file as probe.",
    "relay-test-message": "Send the mail on the relay as its README says, then run "
    "verify with completes.",
    "mail-node-without-logon": "Enter the values, delete logon data, hand in the form.",
    "sap-test-message:internal": "Send the mail with the mark, then run verify with "
    "completes.",
    "sap-test-message:external": "Send the mail with the mark, then run verify with "
    "completes.",
    "sap-message-traced": "Send the message with the mark, then run verify with "
    "completes.",
    "message-received:internal": "Hand in the whole header of the test message.",
    "message-received:external": "Hand in the whole header of the test message.",
    "sender-matrix": "Give the address Send As, an accepted domain or another From.",
    "sending-volume": "Send less, share it among mailboxes, or take another option.",
    # By cause.
    "certificate-expired": "Renew it in SAP and upload the new one, then switch.",
    "token-wrong-secret": "Give SAP the secret's value, not its ID; or make a new one.",
    "token-expired-secret": "Run apply: it makes a new secret beside the expired one.",
    "token-application-not-found": "Give the application (client) ID, which is neither "
    "of the two object IDs, and check the tenant ID.",
    "token-no-service-principal": "Run apply: it creates the enterprise application.",
    "token-wrong-tenant": "Correct tenant_id, domain or cloud in the tenant file.",
    "token-certificate-unknown": "Compare the thumbprint that is named with those of "
    "the application; upload the certificate whose key signs.",
    "token-assertion-times": "Set the clock of the host that signs; UTC counts.",
    "token-conditional-access": "Ask the policy's owner to let this application in.",
    "token-roles-missing": "Run apply: it grants exactly SMTP.SendAsApp.",
    "smtp-auth-disabled-tenant": "Allow authenticated SMTP for this one mailbox.",
    "smtp-auth-disabled-mailbox": "Run apply: it allows authenticated SMTP for this "
    "one mailbox.",
    "smtp-authentication-unsuccessful": "Check service principal, object ID and "
    "mailbox permission; a new permission takes up to two hours.",
    "smtp-send-as-denied": "Send from the mailbox's own address, or grant SendAs.",
    "no-option-fits": "Change what the rules name, or use a service for mass mail.",
    "relay-access-denied": "Compare the connector's address with where the mail came "
    "from.",
    "direct-send-rejected": "Use option 3: its connector makes SAP known.",
    "recipient-access-denied": "Correct the address in SAP, or create the recipient.",
    "untrusted-certificate": "Find out who terminates TLS on the way; import the CA "
    "only if it is yours.",
    "unreachable": "Check DNS, proxy and firewall from the host that was named.",
    "not-permitted": "Give the operator the permission that is named, or let somebody "
    "run this who has it.",
    "sap-system-unread": "Check user, password and permission of the SAP system in the "
    "tenant file, or hand in what its screens show.",
    "mailbox-missing": "Create or license the mailbox, or correct the tenant file.",
    "ambiguous-application": "Give the appId of the right one as application_id.",
    "adopted-application": "Ask its owner, or choose another application_name.",
    "secret-not-in-sink": "Run apply: it makes a secret whose value the sink holds.",
    "replication": "Run verify once the time given has passed.",
    "unknown-reply": "Report it with the record; the masked original is in it.",
    "parameters": "Correct the parameter that is named and run again.",
}


# What an operator's token, or the SAP application's, was refused for.
TOKEN: Mapping[str, str] = {
    "AADSTS7000215": "token-wrong-secret",
    "AADSTS7000222": "token-expired-secret",
    "AADSTS700016": "token-application-not-found",
    "AADSTS7000229": "token-no-service-principal",
    "AADSTS700027": "token-certificate-unknown",
    "AADSTS700024": "token-assertion-times",
    "AADSTS53003": "token-conditional-access",
    "AADSTS90002": "token-wrong-tenant",
    "AADSTS900023": "token-wrong-tenant",
}

# What stands in the way whatever the step: by class of error, or by code.
CAUSES: Mapping[str, str] = {
    **TOKEN,
    "UntrustedCertificate": "untrusted-certificate",
    "Unreachable": "unreachable",
    "NotPermitted": "not-permitted",
    "UnknownReply": "unknown-reply",
    "InputError": "parameters",
}


def sentence(remedy_id: str | None) -> str | None:
    """Return the sentence of a remedy id, or None where there is none."""
    return REMEDIES.get(remedy_id or "")
