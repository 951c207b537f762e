"""Batches of the admin API, and its regional host."""

from typing import Any

import httpx
import pytest

from tests.sandbox.mail import MAILBOX
from tests.sandbox.rows import Checks
from tests.sandbox.world import World

REGIONAL = "eurprd01.outlook.office365.com"

CHECKS = Checks("exchange", file=__file__)


def item(number: int, cmdlet: str, **parameters: Any) -> dict[str, Any]:
    """Return one request of a batch."""
    return {
        "id": str(number),
        "method": "POST",
        "url": "/InvokeCommand",
        "body": {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
    }


def send_batch(world: World, requests: Any, token: str | None = None) -> httpx.Response:
    """Send a batch."""
    tenant = world.tenant.tenant_id
    return world.request(
        "POST",
        f"https://outlook.office365.com/adminapi/beta/{tenant}/$batch",
        headers={"Authorization": f"Bearer {token or world.token()}"},
        json={"requests": requests},
    )


def module_file(world: World, host: str) -> httpx.Response:
    """Ask for the module file at a host, in the spelling of the module."""
    tenant = world.tenant.tenant_id
    return world.request(
        "GET",
        f"https://{host}/AdminApi/v1.0/{tenant}/EXOModuleFile?Version=3.0",
        headers={"Authorization": f"Bearer {world.token()}"},
    )


@CHECKS.row("exchange.batch-limit")
def check_batch_limit(world: World) -> None:
    """Eleven are refused as a whole, ten are answered."""
    requests = [item(number, "Get-AcceptedDomain") for number in range(11)]
    assert send_batch(world, requests).status_code == 400
    answers = send_batch(world, requests[:10]).json()["responses"]
    assert [answer["status"] for answer in answers] == [200] * 10


@CHECKS.row("exchange.regional-redirect")
def check_regional_redirect(world: World) -> None:
    """The global host names the regional one, which lists the cmdlets."""
    answer = module_file(world, "outlook.office365.com")
    assert answer.status_code == 302
    where = httpx.URL(answer.headers["Location"])
    assert (where.host, where.port) == (REGIONAL, 446)
    assert where.path.endswith(f"/AdminApi/v1.0/{world.tenant.tenant_id}/EXOModuleFile")
    listed = module_file(world, REGIONAL).json()["value"][0]["exportedCmdlets"]
    assert "Get-Mailbox" in listed


(
    test_row_holds,
    test_row_is_noticed_when_broken,
    test_every_row_has_a_check,
) = CHECKS.tests()


def test_items_are_judged_and_logged_one_by_one() -> None:
    """A change, a refusal and a stranger's path in one batch."""
    with World() as world:
        change = {"Identity": MAILBOX, "SmtpClientAuthenticationDisabled": False}
        requests = [
            item(1, "Set-CASMailbox", **change),
            item(2, "Get-Mailbox", Identity="nobody"),
            {**item(3, "Get-Mailbox"), "url": ""},
        ]
        answers = send_batch(world, requests).json()["responses"]
        assert [answer["status"] for answer in answers] == [200, 404, 404]
        shown = world.run("Get-CASMailbox", Identity=MAILBOX)[0]
        assert shown["SmtpClientAuthenticationDisabled"] is False
        writes = [line["path"].rpartition("/")[2] for line in world.logged(write=True)]
        assert writes == ["InvokeCommand", "$batch"]


def test_items_have_the_right_of_the_batch() -> None:
    """A token of an item does not count; without one the batch is refused."""
    with World() as world:
        smuggled = item(1, "Get-Mailbox")
        smuggled["headers"] = {"Authorization": f"Bearer {world.token()}"}
        assert send_batch(world, [smuggled], token="none").status_code == 401
        smuggled["headers"] = {"Authorization": "Bearer none"}
        answers = send_batch(world, [smuggled]).json()["responses"]
        assert answers[0]["status"] == 200


@pytest.mark.parametrize("requests", [None, {}, [1], [{"id": "1"}], "x"])
def test_malformed_batches_are_refused(requests: Any) -> None:
    """The whole batch gets 400, and counts as no write."""
    with World() as world:
        assert send_batch(world, requests).status_code == 400
        assert world.logged(write=True) == []


def test_invoke_command_redirects_by_fault() -> None:
    """The same path at the regional host, where the command works."""
    with World(faults="exchange-302=1") as world:
        answer = world.invoke("Get-Mailbox")
        assert answer.status_code == 302
        path = f"/adminapi/beta/{world.tenant.tenant_id}/InvokeCommand"
        assert answer.headers["Location"] == f"https://{REGIONAL}{path}"
        token = {"Authorization": f"Bearer {world.token()}"}
        body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
        url = answer.headers["Location"]
        assert world.request("POST", url, headers=token, json=body).status_code == 200
