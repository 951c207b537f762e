"""For whoever hands the sheet over: how to do it, and what SAP's words mean."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runbook_lib.sap.sheet import Action, SheetFacts

# A transaction is a code that is typed into the command field of SAP GUI.
WORDS = {
    "ICM": "Internet Communication Manager: the part of SAP that speaks SMTP",
    "OA2C_CONFIG": "the older transaction for OAuth 2.0 clients",
    "PFCG": "transaction for roles and authorizations",
    "PSE": "a store of keys and trusted certificates in SAP",
    "RZ10": "transaction for instance profiles, the files with SAP's parameters",
    "RZ11": "transaction that shows one parameter, as it is in force",
    "SBCS_MAIL_CONFIGSMTP": "the newer transaction for the mail configuration",
    "SBWP": "SAP's own mail program: here a test message is written",
    "SCOT": "transaction for SAPconnect: mail host, port, security, send jobs",
    "SICF": "transaction that switches services on and off",
    "SM37": "transaction that lists background jobs",
    "SMICM": "transaction that shows and restarts ICM",
    "SNOTE": "transaction for SAP Notes, SAP's corrections",
    "SOAUTH2_CLIENT": "transaction for OAuth 2.0 clients",
    "SOST": "transaction that lists what SAP sent, and with which result",
    "STRUST": "transaction for certificates that SAP trusts",
    "SU01": "transaction for users, with their email addresses",
    "SU53": "transaction that shows which authorization was missing",
    "SAP_COM_0548": "the communication scenario for sending mail",
    "Cloud Connector": "SAP's program that lets its cloud reach hosts in your network",
}


def words_of(actions: Iterable[Action], tests: Iterable[str]) -> list[tuple[str, str]]:
    """Return the words that the sheet uses, each with what it means, by name."""
    used = " ".join([*(_text(action) for action in actions), *tests])
    return [
        (word, meaning)
        for word, meaning in sorted(WORDS.items())
        if re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", used)
    ]


def _text(action: Action) -> str:
    values = [f"{value.place} {value.value}" for value in action.values]
    parts = [action.title, action.place, action.proof, action.reason]
    return " ".join([*parts, *action.steps, *action.corrections, *values])


def handing_over(facts: SheetFacts) -> list[str]:
    """Return what the person does who hands the sheet over and takes it back."""
    secret = facts.credential == "secret" and not facts.in_sap_cloud
    return [
        "Give the sheet to each person who is named under “Who does what”, and agree "
        "on a time: the mail settings of SAP are shared by all its mail, so for a "
        "moment everything that SAP sends goes the new way or waits.",
        *(
            [
                "Hand the client secret over on another way: it is not on this sheet. "
                "It lies in the secret sink under the key ID that the sheet names."
            ]
            if secret and facts.option == 1
            else []
        ),
        "Ask for the present values first (action 1 where there is one): without them "
        "nobody can go back.",
        "Where a screen looks otherwise than described, let them stop and send you its "
        "text; nobody should guess.",
        "Take back the filled-in forms at the end of this sheet, with name and time "
        "(UTC) of whoever looked. Save each as STEP.yaml in the evidence folder, with "
        "a dash for a colon.",
        f"Run verify with completes={facts.run}: it reads the forms, looks for the "
        "test message, and says what is missing or contradicts.",
    ]
