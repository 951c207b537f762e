"""The handover sheet: four products, line by line against the guide's sections."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runbook_lib.sap.release import Product
from runbook_lib.sap.sheet_words import WORDS
from runbook_lib.views.handover import HTML, MARKDOWN, handover_documents
from tests.sap.samples import sample
from tests.views import sheets
from tests.views.samples import TENANT
from tests.views.sheets import APP_ID, KEY_ID, OBJECT_ID, RUN, THUMBPRINT

ENDPOINT = f"login.microsoftonline.com/{TENANT['tenant_id']}/oauth2/v2.0/token"
SCOPE = "https://outlook.office365.com/.default"
G2 = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"

# What the guide says under its heading, and what the sheet of option 1 has of it,
# with the corrections of its errors.
ON_PREMISES: list[tuple[str, str, str]] = [
    ("prerequisites", "SAP Note", "| Note | `3581654` |"),
    ("prerequisites", "port 587", "| TCP 587 to | `smtp.office365.com` |"),
    ("prerequisites", "no IP address", "never use an IP address"),
    ("sap-s4hana-on-premises 1", "telnet", "telnet smtp.office365.com 587"),
    ("sap-s4hana-on-premises 1", "ping", "in fact ping shows no port"),
    ("sap-s4hana-on-premises 2", "parameter", "| icm/server_port_&lt;n> | `PROT=SMTP"),
    ("sap-s4hana-on-premises 2", "value", "PORT=25000,TIMEOUT=180,TLS=1"),
    ("sap-s4hana-on-premises 2", "misprint", "The guide prints icm/server-port-1; in"),
    ("sap-s4hana-on-premises 2", "TLS=1", "concerns mail that comes in"),
    ("sap-s4hana-on-premises 3", "restart", "SMICM › Administration › ICM"),
    ("sap-s4hana-on-premises 3", "active", "shows SMTP with its port, active"),
    ("sap-s4hana-on-premises 4", "SICF", "SICF › SMTP node SAPconnect"),
    ("sap-s4hana-on-premises 5", "profile", "OAuth 2.0 Client Profile | `BCS_MAIL`"),
    ("sap-s4hana-on-premises 5", "own profile", "or with your own"),
    ("sap-s4hana-on-premises 6", "screen", "SBCS_MAIL_CONFIGSMTP; where it does not"),
    ("sap-s4hana-on-premises 6", "OAuth2", "| Authentication method | `OAuth2` |"),
    ("sap-s4hana-on-premises 6", "configuration", "Client Configuration | `BCS_MAIL_"),
    ("sap-s4hana-on-premises 6", "user", "OAuth 2.0 Client User | `sap@contoso.com`"),
    ("sap-s4hana-on-premises 6", "checkbox", "| Modify legacy SMTP node | `on` |"),
    ("sap-s4hana-on-premises 7", "SCOT", "SCOT › SMTP node"),
    ("not in the guide", "TLS", "| TLS | `mandatory` |"),
    ("not in the guide", "token endpoint", f"| `{ENDPOINT}` |"),
    ("not in the guide", "scope", f"| Scope | `{SCOPE}` |"),
    ("not in the guide", "client ID", f"| OAuth 2.0 Client ID | `{APP_ID}` |"),
    ("not in the guide", "trust", f"| SHA-1 | `{G2}` |"),
    ("not in the guide", "authorization to configure", "S_OA2C_ADM, ACTVT"),
    ("not in the guide", "authorization to use", "| S_OA2C_USE, ACTVT | `16` |"),
    ("not in the guide", "default domain", "| Default domain | `contoso.com` |"),
    ("not in the guide", "send job", "report RSCONN01"),
    ("limitations", "Send As", "grant Send As for its address"),
    ("limitations", "limits", "30 messages a minute"),
]
BTP: list[tuple[str, str, str]] = [
    ("sap-btp-abap-environment 1", "system", "Create the communication system"),
    ("sap-btp-abap-environment 1", "host", "| Host Name | `smtp.office365.com` |"),
    ("sap-btp-abap-environment 1", "user type", "Authentication Method | `OAuth 2.0`"),
    ("sap-btp-abap-environment 1", "client ID", f"OAuth 2.0 Client ID | `{APP_ID}`"),
    ("sap-btp-abap-environment 1", "certificate", "Download Certificate"),
    ("sap-btp-abap-environment 2", "scenario", "SAP_COM_0548"),
    ("sap-btp-abap-environment 2", "OAuth User", "OAuth User | `sap@contoso.com` |"),
    ("sap-btp-abap-environment 2", "scope", f"| Additional Scope | `{SCOPE}` |"),
    ("prerequisites", "JWT only", "SAP's own page lists Basic, mTLS, JWT and None"),
    ("not in the guide", "token endpoint", f"| `{ENDPOINT}` |"),
    ("not in the guide", "Cloud Connector", "| Cloud Connector | `off` |"),
    ("not in the guide", "thumbprint", f"| Thumbprint (SHA-1) | `{THUMBPRINT}` |"),
]
PUBLIC: list[tuple[str, str, str]] = [
    ("sap-s4hana-cloud-public-edition", "nothing to set", "nothing to set yourself"),
    ("sap-s4hana-cloud-public-edition", "SAP manages", "SAP manages this config"),
    ("not in the guide", "sender domain", "Define Email Sender Domain"),
]
SECTIONS = {
    "s4-onprem": ON_PREMISES,
    "s4-private": ON_PREMISES,
    "btp-abap": BTP,
    "s4-public": PUBLIC,
    "ecc": ON_PREMISES,
    "netweaver": ON_PREMISES,
}
LINES = [
    pytest.param(product, text, id=f"{product}: {anchor}: {item}")
    for product, table in SECTIONS.items()
    for anchor, item, text in table
]
# Option 3 and its "Steps in SAP Application server"; options 2 and 4 refer to it.
RELAY = [
    ("step 1", "| icm/server_port_&lt;n> | `PROT=SMTP"),
    ("step 2", "SCOT › SMTP node"),
    ("step 3", "| Mail host | `contoso-com.mail.protection.outlook.com` |"),
    ("step 3", "| Mail port | `25` |"),
    ("step 4", "delete the logon data of SMTP AUTH"),
    ("step 4", "The guide says “if possible”"),
    ("step 5", "SBWP: send a message"),
    ("step 5", "SOST: the row"),
]
# Options 2 to 4, and what the sheet of each product has for them. The guide has
# steps for on-premises products only; where it has none, the sheet says so.
ON_SITE = ("s4-onprem", "s4-private", "ecc", "netweaver")
DIRECT, RELAYED, SERVER = "2-direct-send", "3-relay-connector", "4-relay-server"
ELSEWHERE: list[tuple[str, tuple[str, ...], str]] = [
    (DIRECT, ON_SITE, "| Mail host | `contoso-com.mail.protection.outlook.com` |"),
    (DIRECT, ON_SITE, "recipients of your own organization only"),
    (DIRECT, ON_SITE, "| TCP 25 to | `contoso-com.mail.protection.outlook.com` |"),
    (RELAYED, ON_SITE, "The guide refers to a section “Configure SMTP Auth with"),
    (RELAYED, ON_SITE, "| Logon data | `none` |"),
    (SERVER, ON_SITE, "| Mail host | `relay1.contoso.com` |"),
    (SERVER, ON_SITE, "Trust the CA of the relay's certificate"),
    (SERVER, ON_SITE, "SAP speaks TLS with the relay, not with Exchange Online"),
    (DIRECT, ("btp-abap",), "option 2 is not for this product"),
    (DIRECT, ("btp-abap",), "The guide offers the BTP ABAP environment option 1 only"),
    (RELAYED, ("btp-abap",), "A connector needs a static address that is yours alone"),
    (RELAYED, ("btp-abap",), "run the notebook 1-smtp-oauth with product btp-abap"),
    (SERVER, ("btp-abap",), "| Internal host | `relay1.contoso.com` |"),
    (SERVER, ("btp-abap",), "| Cloud Connector | `on` |"),
    (SERVER, ("btp-abap",), "| Scenario | `SAP_COM_0548` |"),
    (SERVER, ("btp-abap",), "describes option 4 with SCOT only"),
    (DIRECT, ("s4-public",), "no customer sets up Direct Send there"),
    (RELAYED, ("s4-public",), "no customer sets up a relay connector for it"),
    (SERVER, ("s4-public",), "no customer can name a relay there"),
    (SERVER, ("s4-public",), "Ask SAP in a support case"),
]
OF_OPTION_1 = ("OAuth 2.0 Client ID", "Additional Scope", "oauth2/v2.0/token", "| 587")


def sheet_of(notebook: str, product: str) -> str:
    """Return the Markdown sheet of an apply run of an option."""
    events = sheets.applied(notebook, product=product)
    host = "relay1.contoso.com"
    node = sheets.ended("mail-node-without-logon", {}, host=host)
    return sheets.markdown([*events, node] if notebook == SERVER else events)


products = pytest.mark.parametrize("product", [str(p) for p in Product])


def test_every_product_has_its_table() -> None:
    """No product is left out of the comparison."""
    assert set(SECTIONS) == {str(product) for product in Product}


@pytest.mark.parametrize(("product", "text"), LINES)
def test_sheet_has_what_the_guide_says(product: str, text: str) -> None:
    """Each instruction of the guide's section stands on the product's sheet."""
    assert text in sheets.markdown(sheets.applied(product=product))


@pytest.mark.parametrize(("step", "text"), RELAY)
def test_relay_sheet_has_what_the_guide_says(step: str, text: str) -> None:
    """The steps in the SAP application server stand on the sheet of option 3."""
    assert text in sheets.markdown(sheets.applied("3-relay-connector"))


@pytest.mark.parametrize(
    ("notebook", "product", "text"),
    [(notebook, product, text) for notebook, on, text in ELSEWHERE for product in on],
)
def test_sheet_has_what_belongs_to_the_option(
    notebook: str, product: str, text: str
) -> None:
    """The guide's steps on premises; elsewhere a way that exists, or that none does."""
    assert text in sheet_of(notebook, product)


@pytest.mark.parametrize("product", ["s4-onprem", "btp-abap"])
def test_judged_senders_are_named(product: str) -> None:
    """Each From address that the run judged stands there, with what covers it."""
    covers = {"sap@contoso.com": "the mailbox itself", "fi@contoso.com": "not covered"}
    rows = [
        {"address": address, "known from": "tenant file", "covered by": covered}
        for address, covered in covers.items()
    ]
    events = sheets.applied(product=product)
    judged = {**sheets.ended("sender-matrix", {}), "context": {"senders": rows}}
    page = sheets.markdown([*events, judged])
    for address, covered in covers.items():
        assert f"Judged in this run: {address} – {covered}." in page
    assert "Judged in this run" not in sheets.markdown(events)


@products
@pytest.mark.parametrize("notebook", [DIRECT, RELAYED, SERVER])
def test_no_other_option_is_on_the_sheet(notebook: str, product: str) -> None:
    """Nobody sets up option 1 who was handed the sheet of another one."""
    text = sheet_of(notebook, product)
    for foreign in OF_OPTION_1:
        assert foreign not in text


def test_every_option_and_product_is_in_the_tables() -> None:
    """Four options, six products: none is left unlooked at."""
    for notebook in (DIRECT, RELAYED, SERVER):
        named = {product for n, on, _ in ELSEWHERE if n == notebook for product in on}
        assert named == set(SECTIONS), notebook


@pytest.mark.parametrize("product", ["btp-abap", "s4-public"])
def test_a_sheet_without_a_way_asks_for_nothing(product: str) -> None:
    """Nothing to enter, nothing to test, nothing to hand back or to take back."""
    text = sheet_of(RELAYED, product)
    assert "| Field | Value |" not in text
    for heading in ("Test plan", "What to hand back", "Back-out", "Dates to watch"):
        assert f"\n## {heading}\n" not in text


@products
def test_sheet_is_whole(product: str) -> None:
    """Who, what, test plan, back-out and dates stand on every sheet."""
    text = sheets.markdown(sheets.applied(product=product))
    for heading in ("Who does what", "Test plan", "Back-out", "Dates to watch"):
        assert f"\n## {heading}\n" in text
    assert RUN in text
    assert "inbox@contoso.com" in text


@products
def test_both_forms_say_the_same(product: str) -> None:
    """Every sentence of the Markdown stands in the HTML page."""
    events = sheets.applied(product=product)
    page = re.sub(r"<style>.*?</style>", "", sheets.html(events), flags=re.DOTALL)
    seen = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for line in sheets.markdown(events).splitlines():
        for word in re.findall(r"[A-Za-z]{4,}", line.replace("&lt;", "<")):
            assert word in seen, line


@products
def test_no_secret_is_on_the_sheet(product: str) -> None:
    """A client secret is named by its key ID; its value is handed over elsewhere."""
    events = sheets.applied(product=product)
    for text in (sheets.markdown(events), sheets.html(events)):
        assert OBJECT_ID not in text
        assert not re.search(r"(?i)client_secret: \S", text)
    if SECTIONS[product] is ON_PREMISES:
        assert f"key ID {KEY_ID}; handed over out of band" in sheets.markdown(events)


def test_private_edition_is_executed_by_sap() -> None:
    """Profile, STRUST and ICM are service requests; the rest is Basis."""
    text = sheets.markdown(sheets.applied(product="s4-private"))
    for title in ("Define the SMTP service of ICM", "Trust DigiCert Global Root G2"):
        assert f"{title} (SAP ECS, by service request)" in text
    assert "Create the OAuth 2.0 client (SAP Basis)" in text
    assert "ECS" not in sheets.markdown(sheets.applied(product="s4-onprem"))


def test_a_certificate_changes_the_sheet() -> None:
    """With a certificate there is a note more, an export, and no secret."""
    text = sheets.markdown(sheets.applied(credential="certificate"))
    assert "SAP Note 3581654 and 3592080" in text
    assert f"| Thumbprint (SHA-1) | `{THUMBPRINT}` |" in text
    assert "SOAUTH2_CLIENT › Global Settings" in text
    assert "STRUST › SSF OA2CJC" in text
    assert "| Client authentication | `JWT` |" in text
    assert "Client secret" not in text
    assert "| SAP's signing certificate | 2028-01-01T00:00:00Z |" in text


def test_dates_to_watch() -> None:
    """The secret's end stands there, and what to do before it."""
    text = sheets.markdown(sheets.applied())
    assert (
        f"| Client secret, key ID {KEY_ID} | 2027-05-24T10:00:00Z | Run apply" in text
    )
    assert "2038-01-15" in text


def test_back_out_goes_backwards() -> None:
    """What was done last is undone first, with the kept values."""
    text = sheets.markdown(sheets.applied()).partition("\n## Back-out\n")[2]
    order = ["Schedule the send job", "Enter the SMTP configuration", "Define the SMTP"]
    positions = [text.index(title) for title in order]
    assert positions == sorted(positions)
    assert "Enter the values that were kept at the beginning." in text


def test_a_plan_says_that_it_is_one() -> None:
    """Values that do not exist yet are not made up."""
    text = sheets.markdown([sheets.opened(mode="plan")])
    assert "This sheet is of a plan" in text
    assert "| OAuth 2.0 Client ID | `known after apply` |" in text


@pytest.mark.parametrize(
    "event",
    [
        sheets.opened(mode="rollback"),
        sheets.opened("0-choose-an-option"),
        sheets.opened("5-diagnose"),
        sheets.opened(product="s5-onprem"),
    ],
)
def test_runs_that_hand_nothing_over(event: dict[str, object]) -> None:
    """A rollback, a choice, a diagnosis and an unknown product have no sheet."""
    assert handover_documents([event], folder=sheets.NOWHERE) == {}


def test_the_sandbox_is_marked() -> None:
    """A sheet of the sandbox cannot be taken for a real one; a real one is not so."""
    assert "SANDBOX" in sheets.markdown(sheets.applied())
    real = [sheets.opened(tenant={"target": "real"})]
    assert "SANDBOX" not in sheets.markdown(real)
    assert "SANDBOX" not in sheets.html(real)


def test_other_clouds_have_other_hosts() -> None:
    """Host and scope come from the cloud's profile."""
    text = sheets.markdown([sheets.opened(tenant={"cloud": "gcc-high"})])
    assert "`https://outlook.office365.us/.default`" in text
    assert "login.microsoftonline.us/" in text


def attached(folder: Path, *texts: str) -> dict[str, object]:
    """Return the event of evidence about ICM that lies in the record."""
    (folder / "evidence").mkdir()
    files = []
    for number, text in enumerate(texts):
        (folder / "evidence" / f"{number}.txt").write_text(text, "utf-8")
        files.append({"path": f"evidence/{number}.txt"})
    return {
        "event": "evidence.attached",
        "step": "icm-service-active",
        "text": files[0],
        "files": files[1:],
    }


@pytest.mark.parametrize(
    ("texts", "index"),
    [
        (("icm/server_port_0 = PROT=HTTP,PORT=8000",), 1),
        (("icm/server_port_1 = PROT=HTTPS,PORT=443",), 0),
        ((sample("C4"),), 1),
        (
            (
                "icm/server_port_0 = PROT=HTTP,PORT=8000",
                "--- DEFAULT.PFL ---\nicm/server_port_1 = PROT=HTTPS,PORT=44300",
            ),
            2,
        ),
    ],
)
def test_next_free_index(tmp_path: Path, texts: tuple[str, ...], index: int) -> None:
    """The index comes from what was pasted, and never one that is taken."""
    events = [*sheets.applied(), attached(tmp_path, *texts)]
    text = sheets.markdown(events, tmp_path)
    assert f"The next free index in the evidence is {index};" in text
    assert f"| icm/server_port_{index} | `PROT=SMTP,PORT=25000" in text


def test_a_service_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    """Where SAP has the service already, the sheet shows it as it is."""
    events = [*sheets.applied(), attached(tmp_path, sample("A2"))]
    text = sheets.markdown(events, tmp_path)
    assert "shows an SMTP service already: icm/server_port_2 = PROT=SMTP" in text
    assert "| icm/server_port_2 | `PROT=SMTP,PORT=0," in text


@products
def test_evidence_goes_to_steps_that_exist(product: str) -> None:
    """What is handed back is named by a step id, and has a form to fill in."""
    for option in ("1-smtp-oauth", DIRECT, RELAYED, SERVER):
        text = sheets.markdown(sheets.applied(option, product=product))
        asked = set(re.findall(r"Hand it back for the step `([a-z0-9:-]+)`", text))
        forms = set(re.findall(r"^### .+: `([a-z0-9:-]+)`$", text, re.MULTILINE))
        assert asked <= forms <= set(sheets.steps_of(option))


def test_texts_of_the_tenant_are_escaped() -> None:
    """Nothing from outside becomes markup."""
    tenant = {"name": "<b>x</b>", "change_reference": "a|b<i>"}
    events = [sheets.opened(tenant=tenant)]
    assert "<b>x</b>" not in sheets.html(events)
    assert "&lt;b>x" in sheets.markdown(events)
    assert "a\\|b&lt;i>" in sheets.markdown(events)


def test_names_of_the_files() -> None:
    """One page to read and print, one text for a ticket."""
    found = handover_documents(sheets.applied(), folder=sheets.NOWHERE)
    assert list(found) == [HTML, MARKDOWN] == ["handover.html", "handover.md"]


@products
def test_back_out_names_kept_values_only_where_they_were_kept(product: str) -> None:
    """BTP and the Public Edition have no action that keeps old values."""
    text = sheets.markdown(sheets.applied(product=product))
    kept = "## 1. Keep the present values" in text
    assert ("those that were kept in action 1" in text) is kept
    assert re.search(r"In this order\..*\n\n1\. ", text)


@products
@pytest.mark.parametrize("notebook", ["1-smtp-oauth", DIRECT, RELAYED, SERVER])
def test_words_of_sap_are_explained(notebook: str, product: str) -> None:
    """Each transaction that the actions name stands in the list of words."""
    text = sheet_of(notebook, product)
    actions, _, words = text.partition("\n## SAP's words on this sheet\n")
    named = {word for word in WORDS if re.search(rf"(?<!\w){word}(?!\w)", actions)}
    explained = set(re.findall(r"^\| ([^|]+) \| ", words, re.MULTILINE)) - {"Word"}
    assert named <= explained or "is not for this product" in text


@products
def test_whoever_hands_it_over_is_told_how(product: str) -> None:
    """What to agree on, what comes back, and which run takes it in."""
    text = sheet_of("1-smtp-oauth", product)
    assert "\n## For whoever hands this sheet over\n" in text
    assert f"Run verify with completes={RUN}" in text
    on_site = SECTIONS[product] is ON_PREMISES
    assert ("Hand the client secret over on another way" in text) is on_site


def test_marker_is_what_the_message_trace_looks_for() -> None:
    """The run looks for runbook: and its id in the subject."""
    text = sheets.markdown(sheets.applied())
    assert f"whose title holds runbook:{RUN}." in text
    assert f"| Title of test messages holds | runbook:{RUN} |" in text
