"""Rows of the vaults."""

import pytest

from runbook_lib.sandbox.tokens import issue_token
from runbook_lib.sandbox.vault_access import USER
from tests.sandbox.rows import Checks
from tests.sandbox.vaults import Vault, refusal_of
from tests.sandbox.world import GRAPH_SCOPE, World

CHECKS = Checks("vault")


@CHECKS.row("vault.challenge")
def check_challenge(world: World) -> None:
    """The reply says where to get a token, and for what."""
    vault = Vault(world)
    answer = vault.send("GET", "secrets/sap", token=None)
    assert refusal_of(answer)[:2] == (401, "Unauthorized")
    tenant_id = world.tenant.tenant_id
    assert answer.headers.get("WWW-Authenticate") == (
        f'Bearer authorization="https://login.microsoftonline.com/{tenant_id}",'
        ' resource="https://vault.azure.net"'
    )


@CHECKS.row("vault.audience")
def check_audience(world: World) -> None:
    """A token for Graph opens no vault."""
    answer = Vault(world).send("GET", "secrets", token=world.token(scope=GRAPH_SCOPE))
    assert answer.status_code == 401
    assert "AKV10022" in answer.text


@CHECKS.row("vault.tenant")
def check_tenant(world: World) -> None:
    """Not even with the same object id."""
    officer = next(iter(world.tenant.vault.roles))
    client = world.tenant.service_principals[officer]
    other = world.other_tenant()
    name = "https://vault.azure.net"
    token = issue_token(world.sandbox, other, client, {"appRoles": [], "id": ""}, name)
    answer = Vault(world).send("GET", "secrets", token=token)
    assert answer.status_code == 401
    assert "AKV10032" in answer.text


@CHECKS.row("vault.role")
def check_role(world: World) -> None:
    """A user of secrets reads and does not set; a stranger does neither."""
    vault = Vault(world)
    vault.put("sap", "one")
    user, stranger = vault.outsider_token(USER), vault.outsider_token()
    assert vault.send("GET", "secrets/sap", token=user).status_code == 200
    for method, body, token in (
        ("PUT", {"value": "two"}, user),
        ("GET", None, stranger),
    ):
        answer = vault.send(method, "secrets/sap", body, token=token)
        assert answer.status_code == 403
        assert refusal_of(answer) == (403, "Forbidden", "ForbiddenByRbac")


@CHECKS.row("vault.api-version")
def check_api_version(world: World) -> None:
    """No version, no answer."""
    answer = Vault(world).send("GET", "secrets", version=None)
    assert answer.status_code == 400
    assert refusal_of(answer)[1] == "BadParameter"


@CHECKS.row("vault.versions")
def check_versions(world: World) -> None:
    """The newest version is what a plain read gives; the first is still there."""
    vault = Vault(world)
    first = vault.put("sap", "one")["id"].removeprefix(f"{vault.url}/")
    vault.put("sap", "two")
    assert vault.send("GET", "secrets/SAP").json()["value"] == "two"
    old = vault.send("GET", first)
    assert old.status_code == 200
    assert old.json()["value"] == "one"
    versions = vault.send("GET", "secrets/sap/versions").json()["value"]
    assert len(versions) == 2


@CHECKS.row("vault.soft-delete")
def check_soft_delete(world: World) -> None:
    """After recovery, or purge, the name is free again."""
    vault = Vault(world)
    vault.put("sap", "one")
    assert vault.send("DELETE", "secrets/sap").status_code == 200
    assert vault.send("GET", "secrets/sap").status_code == 404
    again = vault.send("PUT", "secrets/sap", {"value": "two"})
    assert again.status_code == 409
    assert refusal_of(again) == (409, "Conflict", "ObjectIsDeletedButRecoverable")
    assert vault.send("POST", "deletedsecrets/sap/recover").status_code == 200
    assert vault.send("GET", "secrets/sap").json()["value"] == "one"


@CHECKS.row("vault.disabled")
def check_disabled(world: World) -> None:
    """Disabling hides the value and keeps the secret."""
    vault = Vault(world)
    path = vault.put("sap", "one")["id"].removeprefix(f"{vault.url}/")
    body = {"attributes": {"enabled": False}}
    assert vault.send("PATCH", path, body).status_code == 200
    answer = vault.send("GET", "secrets/sap")
    assert answer.status_code == 403
    assert refusal_of(answer) == (403, "Forbidden", "SecretDisabled")


@CHECKS.row("vault.list-without-values")
def check_list_without_values(world: World) -> None:
    """Whoever may only list learns names."""
    vault = Vault(world)
    vault.put("sap", "one", tags={"made-by": "runbook"})
    (item,) = vault.send("GET", "secrets").json()["value"]
    assert item["id"] == f"{vault.url}/secrets/sap"
    assert item["tags"] == {"made-by": "runbook"}
    assert "value" not in item


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests(tenants=2)


def test_a_purged_name_is_free() -> None:
    """Purging is for good."""
    with World() as world:
        vault = Vault(world)
        vault.put("sap", "one")
        shown = vault.send("DELETE", "secrets/sap").json()
        assert shown["recoveryId"] == f"{vault.url}/deletedsecrets/sap"
        assert len(vault.send("GET", "deletedsecrets").json()["value"]) == 1
        assert vault.send("DELETE", "deletedsecrets/sap").status_code == 204
        assert vault.send("GET", "deletedsecrets/sap").status_code == 404
        vault.put("sap", "two")


def test_lists_come_in_pages() -> None:
    """The next link is followed until it is null."""
    with World() as world:
        vault, seen = Vault(world), []
        for number in range(30):
            vault.put(f"s{number}", "x")
        link = f"{vault.url}/secrets?api-version=7.5"
        while link:
            headers = {"Authorization": f"Bearer {vault.officer}"}
            page = world.request("GET", link, headers=headers).json()
            seen += page["value"]
            link = page["nextLink"]
        assert len(seen) == 30


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("secrets/a_b", {"value": "x"}),
        ("secrets/sap", {"value": 1}),
        ("secrets/sap", {"value": "x" * 25_601}),
        ("secrets/sap", {"value": "x", "colour": "red"}),
        ("secrets/sap", {"value": "x", "attributes": {"exp": "soon"}}),
        ("secrets/sap", {"value": "x", "tags": ["a"]}),
        ("secrets/sap", ["x"]),
    ],
)
def test_a_wrong_body_is_refused(path: str, body: object) -> None:
    """With 400, and nothing is stored."""
    with World() as world:
        vault = Vault(world)
        assert vault.send("PUT", path, body).status_code == 400
        assert vault.send("GET", "secrets").json()["value"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "keys", 404),
        ("POST", "secrets/sap", 405),
        ("GET", "secrets/none", 404),
        ("DELETE", "secrets/none", 404),
    ],
)
def test_what_is_not_there(method: str, path: str, status: int) -> None:
    """An unknown path, a wrong method, an absent secret."""
    with World() as world:
        assert Vault(world).send(method, path).status_code == status


def test_an_unknown_vault_is_nobody() -> None:
    """The certificate covers the name, the cloud does not have it."""
    with World() as world:
        url = "https://kv-nobody.vault.azure.net/secrets?api-version=7.5"
        assert world.request("GET", url).status_code == 421


@pytest.mark.parametrize("fault", ["", "reset-before@vault=1", "429@vault=1"])
def test_a_value_is_never_logged(fault: str) -> None:
    """Whatever becomes of the request."""
    with World(faults=fault) as world:
        vault = Vault(world)
        try:
            vault.send("PUT", "secrets/sap", {"value": "hunter2~hunter2"})
        except ConnectionResetError:
            assert "reset" in fault
        (line,) = world.logged(method="PUT")
        assert line["write"] is True
        assert line["body"] == {"value": "***"}
        assert "hunter2" not in world.log_file.getvalue()
