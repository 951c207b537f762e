"""The tenant file: a good one, and every way in which one may be wrong."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook_lib.cloud import PROFILES, Cloud
from runbook_lib.errors import InputError
from runbook_lib.tenant import ConnectTo, Tenant, is_loopback, read_tenant

SECRET = "Zx8~Q.pasted-by-mistake_0123456789"
REAL: Mapping[str, Any] = {
    "schema": 1,
    "name": "contoso",
    "tenant_id": "11111111-2222-3333-4444-555555555555",
    "cloud": "global",
    "target": "real",
    "initial_domain": "contoso.onmicrosoft.com",
    "domain": "contoso.com",
    "mailbox": "sap@contoso.com",
    "operator": {
        "client_id": "66666666-7777-8888-9999-000000000000",
        "secret": "env:CONTOSO_OPERATOR_SECRET",
    },
    "recipients": {"internal": "inbox@contoso.com", "external": "post@fabrikam.com"},
    "secret_sink": "age:age1example",
    "windows": {"visibility": 5, "effect": 60},
    "change_reference": "CHG1",
    "sap_time_zone": "Europe/Berlin",
    "sap_mail": {"senders": ["fi@contoso.com"], "messages_per_minute": 10},
}
ROUTES = [
    "login.microsoftonline.com:443 -> 127.0.0.1:8443",
    "graph.microsoft.com:443 -> 127.0.0.1:8443",
    "outlook.office365.com:443 -> 127.0.0.1:8443",
    "smtp.office365.com:587 -> [::1]:8587",
    "dns:53 -> 127.0.0.2:8053",
]
SANDBOX: Mapping[str, Any] = {
    **REAL,
    "target": "sandbox",
    "connect_to": ROUTES,
    "ca_file": "/run/sandbox/ca.pem",
}

Edit = Callable[[dict[str, Any]], object]


def written(folder: Path, content: object) -> Path:
    """Write a tenant file and return its path."""
    path = folder / "contoso.yaml"
    text = (
        content
        if isinstance(content, str)
        else yaml.safe_dump(content, sort_keys=False)
    )
    path.write_text(text, "utf-8")
    return path


def edited(base: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """Return a copy of a content with one thing changed."""
    content = copy.deepcopy(dict(base))
    edit(content)
    return content


def setting(*names: str, to: object) -> Edit:
    """Return an edit that sets a key, which may stand in another one."""

    def edit(content: dict[str, Any]) -> None:
        for name in names[:-1]:
            content = content[name]
        content[names[-1]] = to

    return edit


def without(*names: str) -> Edit:
    """Return an edit that takes a key out."""

    def edit(content: dict[str, Any]) -> None:
        for name in names[:-1]:
            content = content[name]
        del content[names[-1]]

    return edit


def refusal(path: Path) -> InputError:
    """Return the error with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read_tenant(path)
    return caught.value


def line_of(path: Path, key: str) -> int:
    """Return the number of the first line that has a key, or 1."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.strip().removeprefix("- ").startswith(key):
            return number
    return 1


def test_a_good_file(tmp_path: Path) -> None:
    """Values are typed; endpoints come from the cloud's profile."""
    tenant = read_tenant(written(tmp_path, REAL))
    assert str(tenant.tenant_id) == REAL["tenant_id"]
    assert (tenant.cloud, tenant.target) == (Cloud.GLOBAL, "real")
    assert tenant.windows.model_dump() == {"visibility": 5, "effect": 60, "trace": 1800}
    assert tenant.endpoints.smtp == "smtp.office365.com"
    assert tenant.endpoints.mx == "contoso-com.mail.protection.outlook.com"
    assert tenant.routes() == ()


def test_a_good_sandbox_file(tmp_path: Path) -> None:
    """Routes are read: host and port, address and port, brackets taken off."""
    routes = read_tenant(written(tmp_path, SANDBOX)).routes()
    assert [(r.host, r.port, r.address, r.address_port) for r in routes][3] == (
        "smtp.office365.com",
        587,
        "::1",
        8587,
    )


def test_names_are_compared_in_lower_case(tmp_path: Path) -> None:
    """Domains and hosts have no case; a local part keeps its own."""
    content = {
        **SANDBOX,
        "domain": "Contoso.COM",
        "mailbox": "SAP@Contoso.com",
        "connect_to": [ROUTES[0].replace("login", "LOGIN"), *ROUTES[1:]],
    }
    tenant = read_tenant(written(tmp_path, content))
    assert (tenant.domain, tenant.mailbox) == ("contoso.com", "SAP@contoso.com")
    assert tenant.routes()[0].host == "login.microsoftonline.com"


def test_a_tenant_is_frozen(tmp_path: Path) -> None:
    """No step changes what the run was opened with."""
    tenant = read_tenant(written(tmp_path, REAL))
    with pytest.raises(ValueError, match="frozen"):
        setattr(tenant, "mailbox", "other@contoso.com")  # noqa: B010 - mypy knows


def test_the_header_shows_no_reference(tmp_path: Path) -> None:
    """What is declared in the record holds neither secrets nor where they are."""
    declared = str(read_tenant(written(tmp_path, REAL)).declared())
    assert "CONTOSO_OPERATOR_SECRET" not in declared
    assert "age1example" not in declared
    assert REAL["tenant_id"] in declared


@pytest.mark.parametrize("cloud", Cloud)
def test_every_cloud_has_a_profile(cloud: Cloud) -> None:
    """Each value names its source; a doubtful one is listed."""
    profile = PROFILES[cloud]
    values = vars(profile).values()
    assert all(value.value and value.source for value in values)
    doubtful = [name for name, value in vars(profile).items() if value.doubtful]
    assert list(profile.doubts()) == doubtful
    assert profile.exchange_scope.value.endswith("/.default")


@pytest.mark.parametrize(
    ("edit", "key", "message"),
    [
        (setting("schema", to=2), "schema", "Input should be 1"),
        (without("name"), "name", "Field required"),
        (setting("name", to="Contoso"), "name", "String should match pattern"),
        (setting("name", to="../contoso"), "name", "String should match pattern"),
        (setting("tenant_id", to="contoso.com"), "tenant_id", "valid UUID"),
        (setting("tenant_id", to=1234), "tenant_id", "UUID input"),
        (setting("cloud", to="gcc"), "cloud", "'global', 'gcc-high', 'dod' or 'china'"),
        (setting("target", to="prod"), "target", "'sandbox' or 'real'"),
        (without("target"), "target", "Field required"),
        (setting("domain", to="contoso"), "domain", "not a domain name"),
        (setting("domain", to="contoso..com"), "domain", "not a domain name"),
        (setting("domain", to="-contoso.com"), "domain", "not a domain name"),
        (setting("domain", to="con_toso.com"), "domain", "not a domain name"),
        (setting("domain", to="203.0.113.5"), "domain", "not a domain name"),
        (setting("initial_domain", to="x"), "initial_domain", "not a domain name"),
        (setting("mailbox", to="sap"), "mailbox", "not an email address"),
        (setting("mailbox", to="@contoso.com"), "mailbox", "not an email address"),
        (setting("mailbox", to="s p@contoso.com"), "mailbox", "not an email address"),
        (setting("mailbox", to="<s@contoso.com>"), "mailbox", "not an email address"),
        (setting("mailbox", to="s..p@contoso.com"), "mailbox", "not an email address"),
        (setting("mailbox", to="s@b@contoso.com"), "mailbox", "not an email address"),
        (setting("mailbox", to="s,t@contoso.com"), "mailbox", "not an email address"),
        (setting("mailbox", to="sap@contoso"), "mailbox", "not a domain name"),
        (
            setting("recipients", "external", to="a@fabrikam.com,b@fabrikam.com"),
            "recipients.external",
            "not an email address",
        ),
        (without("recipients", "internal"), "recipients.internal", "Field required"),
        (without("operator"), "operator", "Field required"),
        (setting("operator", to="me"), "operator", "valid dictionary"),
        (
            setting("operator", "client_id", to="SAP"),
            "operator.client_id",
            "valid UUID",
        ),
        (
            setting("windows", "effect", to=-1),
            "windows.effect",
            "greater than or equal",
        ),
        (setting("windows", "effect", to=1e9), "windows.effect", "less than"),
        (
            setting("windows", "trace", to=float("inf")),
            "windows.trace",
            "finite",
        ),
        (setting("windows", "trace", to=float("nan")), "windows.trace", "finite"),
        (setting("windows", "trace", to="soon"), "windows.trace", "valid number"),
        (setting("change_reference", to=31877), "change_reference", "valid string"),
        (setting("sap_mail", "licenses", to=-1), "sap_mail.licenses", "greater than"),
        (setting("sap_mail", "senders", to="x"), "sap_mail.senders", "valid tuple"),
        (setting("sap_time_zone", to="CET-1"), "sap_time_zone", "not a time zone"),
        (setting("sap_time_zone", to="../x"), "sap_time_zone", "not a time zone"),
        (setting("secret_sink", to="vault"), "secret_sink", "not a secret reference"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(
    tmp_path: Path, edit: Edit, key: str, message: str
) -> None:
    """One line: file, line, key and what is wrong; and one remedy."""
    path = written(tmp_path, edited(REAL, edit))
    error = refusal(path)
    parent, _, name = key.rpartition(".")
    line = line_of(path, name) if f"{name}:" in path.read_text() else 1
    if line == 1 and parent:
        line = line_of(path, parent)
    assert error.message.startswith(f"{path}:{line}: {key}: ")
    assert message in error.message
    assert error.remedy == "Correct the tenant file and run again."
    assert error.exit_code == 2


def test_every_wrong_key_has_its_line(tmp_path: Path) -> None:
    """All faults are told at once."""
    content = {**REAL, "domain": "x", "mailbox": "y", "cloud": "z"}
    lines = refusal(written(tmp_path, content)).message.splitlines()
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("edit", "where", "hint"),
    [
        (setting("mailbx", to="x"), "mailbx", "; did you mean mailbox?"),
        (setting("tenantid", to="x"), "tenantid", "; did you mean tenant_id?"),
        (
            setting("operator", "secrt", to="x"),
            "operator.secrt",
            "did you mean secret?",
        ),
        (setting("windows", "efect", to=1), "windows.efect", "did you mean effect?"),
        (setting("zzz", to="x"), "zzz", "unknown key"),
        (setting("verify_tls", to=False), "verify_tls", "unknown key"),
    ],
)
def test_an_unknown_key_is_refused_with_a_hint(
    tmp_path: Path, edit: Edit, where: str, hint: str
) -> None:
    """The hint is a key of the same place in the file."""
    path = written(tmp_path, edited(REAL, edit))
    message = refusal(path).message
    line = line_of(path, where.rpartition(".")[2])
    assert message.startswith(f"{path}:{line}: {where}: unknown key")
    assert message.endswith(hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mailbox: other@contoso.com\n", "mailbox"),
        ("operator:\n  client_id: x\n", "operator"),
    ],
)
def test_a_key_that_stands_twice_is_refused(
    tmp_path: Path, text: str, expected: str
) -> None:
    """YAML would silently take the last one."""
    good = yaml.safe_dump(dict(REAL), sort_keys=False)
    path = written(tmp_path, good + text)
    error = refusal(path)
    second = len(good.splitlines()) + 1
    first = line_of(path, expected)
    assert error.message == (
        f"{path}:{second}: {expected}: stands twice, first in line {first}"
    )
    assert error.remedy


def test_a_nested_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """At any depth, with the line of the second one."""
    text = "operator:\n  secret: env:A\n  secret: env:B\n"
    assert (
        ":3: secret: stands twice, first in line 2"
        in refusal(written(tmp_path, text)).message
    )


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        f"*{SECRET}",
        f"!{SECRET}",
        f"&{SECRET}",
        f'"{SECRET}',
        f"%{SECRET}",
        "12",
    ],
)
@pytest.mark.parametrize("key", ["secret", "client_id"])
def test_a_pasted_secret_is_never_repeated(
    tmp_path: Path, key: str, secret: str
) -> None:
    """Whatever YAML makes of it: not in the message, the remedy or the stack."""
    good = yaml.safe_dump(dict(REAL), sort_keys=False)
    old = REAL["operator"][key]
    path = written(tmp_path, good.replace(f"{key}: {old}", f"{key}: {secret}"))
    error = refusal(path)
    shown = "\n".join([*error.lines(), *traceback.format_exception(error), repr(error)])
    if len(secret) > 2:
        assert SECRET not in shown
    assert f"{path}" in error.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a mapping of keys is expected"),
        ("- a\n", "a mapping of keys is expected"),
        ("just text\n", "a mapping of keys is expected"),
        ("a: b: c\n", ":1: the tenant file is not YAML"),
        ("a: [1\n", ":2: the tenant file is not YAML"),
        ("a: 1\n---\nb: 2\n", "the tenant file is not YAML"),
        ("a: !!python/name:os.system\n", ":1: the tenant file is not YAML"),
        ("a: &a [*a]\n", "nested without end"),
        ("a: \x01\n", "the tenant file is not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Other YAML, broken YAML and YAML that would run code."""
    error = refusal(written(tmp_path, text))
    assert message in error.message
    assert error.remedy


def test_a_time_is_a_text(tmp_path: Path) -> None:
    """Even one that no calendar has; YAML would raise an error of its own."""
    path = written(tmp_path, {**REAL, "change_reference": "@@"})
    path.write_text(path.read_text().replace("'@@'", "2026-13-45"))
    assert read_tenant(path).change_reference == "2026-13-45"


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    """Named, with a remedy."""
    error = refusal(tmp_path / "none.yaml")
    assert error.message == f"{tmp_path / 'none.yaml'}: no such tenant file"
    assert "cannot be read" in refusal(tmp_path).message
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal(tmp_path / "bytes.yaml").message


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (setting("connect_to", to=ROUTES), "connect_to"),
        (setting("ca_file", to="/ca.pem"), "ca_file"),
    ],
)
def test_a_real_target_is_never_redirected(
    tmp_path: Path, edit: Edit, key: str
) -> None:
    """Neither other addresses nor another authority."""
    path = written(tmp_path, edited(REAL, edit))
    message = refusal(path).message
    assert message == f"{path}:{line_of(path, key)}: {key}: for target: sandbox only"


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("graph.microsoft.com:443 -> 203.0.113.5:443", "not a loopback address"),
        ("graph.microsoft.com:443 -> [2001:db8::1]:443", "not a loopback address"),
        ("graph.microsoft.com:443 -> localhost:443", "not a loopback address"),
        ("graph.microsoft.com:443 -> 0.0.0.0:443", "not a loopback address"),
        ("graph.microsoft.com:443 -> 127.0.0.1.nip.io:1", "not a loopback address"),
        ("graph.microsoft.com -> 127.0.0.1:443", "not of the form"),
        ("graph.microsoft.com:443", "not of the form"),
        ("graph.microsoft.com:443 -> 127.0.0.1", "not of the form"),
        ("graph.microsoft.com:443 -> 127.0.0.1:0", "not a port"),
        ("graph.microsoft.com:99999 -> 127.0.0.1:1", "not a port"),
    ],
)
def test_only_loopback_can_be_connected_to(
    tmp_path: Path, route: str, message: str
) -> None:
    """Written as an address, with a port; the line of the entry is named."""
    path = written(tmp_path, {**SANDBOX, "connect_to": [*ROUTES, route]})
    error = refusal(path)
    line = line_of(path, "connect_to") + len(ROUTES) + 1
    key = f"connect_to.{len(ROUTES)}"
    assert error.message.startswith(f"{path}:{line}: {key}: ")
    assert message in error.message


@pytest.mark.parametrize("left_out", range(len(ROUTES)))
def test_a_sandbox_needs_every_endpoint(tmp_path: Path, left_out: int) -> None:
    """One host that is not connected would be the real one."""
    routes = [route for i, route in enumerate(ROUTES) if i != left_out]
    path = written(tmp_path, {**SANDBOX, "connect_to": routes})
    host = ROUTES[left_out].partition(" ")[0]
    message = refusal(path).message
    assert message.startswith(f"{path}:{line_of(path, 'connect_to')}: connect_to: ")
    assert message.endswith(f"missing: {host}")


def test_a_sandbox_needs_the_right_ports(tmp_path: Path) -> None:
    """A route for another port of the host leaves the real one reachable."""
    routes = [route.replace(":587 ->", ":25 ->") for route in ROUTES]
    path = written(tmp_path, {**SANDBOX, "connect_to": routes})
    assert refusal(path).message.endswith("missing: smtp.office365.com:587")


def test_a_sandbox_needs_its_authority(tmp_path: Path) -> None:
    """Else the system's trust store would decide."""
    path = written(tmp_path, edited(SANDBOX, without("ca_file")))
    message = refusal(path).message
    assert message == f"{path}:1: ca_file: a sandbox target needs its authority's file"


def test_a_sandbox_without_routes_is_refused(tmp_path: Path) -> None:
    """A file that says sandbox and connects nowhere would reach the real tenant."""
    path = written(tmp_path, {**REAL, "target": "sandbox"})
    messages = refusal(path).message
    assert ": connect_to: " in messages
    assert ": ca_file: " in messages


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("128.0.0.1", False),
        ("localhost", False),
        ("", False),
        ("::2", False),
    ],
)
def test_loopback(address: str, expected: bool) -> None:
    """Addresses only: a name may be resolved to anything."""
    assert is_loopback(address) is expected


def test_a_route_is_read_with_spaces_around() -> None:
    """The form is curl's, with an arrow."""
    route = ConnectTo.parse(" a.example:1 -> [::1]:2 ")
    assert (route.host, route.port, route.address, route.address_port) == (
        "a.example",
        1,
        "::1",
        2,
    )


def test_every_key_of_the_model_is_in_this_file() -> None:
    """A new key has to be added to the good file, and so to its tests."""
    keys = {field.alias or name for name, field in Tenant.model_fields.items()}
    assert keys - set(SANDBOX) == {"evidence_folder", "proxy", "sap"}
