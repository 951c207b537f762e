"""Secrets and certificates of an application, and the policies that forbid them."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.directory import Directory, KeyPair, error_of
from tests.sandbox.world import World

PAIR = KeyPair()
OTHER = KeyPair()
EXPIRED = KeyPair(days=0)


def made(world: World) -> tuple[Directory, str]:
    """Create an application; return the directory and the application's path."""
    directory = Directory(world)
    return directory, f"applications/{directory.new_application()['id']}"


def test_new_secret_has_text_hint_and_two_years() -> None:
    """The status is 200, not 201, and the default end is two years on."""
    with World() as world:
        directory, path = made(world)
        answer = directory.send(
            "POST",
            f"{path}/addPassword",
            {"passwordCredential": {"displayName": "sap 2026"}},
        )
    assert answer.status_code == 200
    credential = answer.json()
    assert credential["displayName"] == "sap 2026"
    assert credential["secretText"].startswith(credential["hint"])
    assert 16 <= len(credential["secretText"]) <= 64
    start, end = (
        datetime.fromisoformat(credential[name])
        for name in ("startDateTime", "endDateTime")
    )
    assert end - start == timedelta(days=730)


def test_a_secret_that_starts_at_the_end_of_time() -> None:
    """The default end does not run over the last year."""
    wanted = {"startDateTime": "9998-06-01T00:00:00Z"}
    with World() as world:
        directory, path = made(world)
        answer = directory.send(
            "POST", f"{path}/addPassword", {"passwordCredential": wanted}
        )
    assert answer.json()["endDateTime"] == "9999-12-31T00:00:00Z"


def test_dates_of_a_secret_are_kept_in_utc() -> None:
    """An offset is converted; an end before the start is refused."""
    start, end = "2030-01-01T01:00:00+01:00", "2030-06-30T00:00:00Z"
    with World() as world:
        directory, path = made(world)
        wanted = {"startDateTime": start, "endDateTime": end}
        answer = directory.send(
            "POST", f"{path}/addPassword", {"passwordCredential": wanted}
        )
        swapped = {"startDateTime": end, "endDateTime": start}
        refused = directory.send(
            "POST", f"{path}/addPassword", {"passwordCredential": swapped}
        )
    assert answer.json()["startDateTime"] == "2030-01-01T00:00:00Z"
    assert answer.json()["endDateTime"] == end
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"passwordCredential": {"secretText": "chosen"}},
        {"passwordCredential": {"keyId": "5e8d1a3c-0000-4000-8000-000000000001"}},
        {"passwordCredential": {"endDateTime": "tomorrow"}},
        {"passwordCredential": {"endDateTime": "2030-02-31T00:00:00Z"}},
        {"passwordCredential": {"endDate": "2030-01-01T00:00:00Z"}},
        {"passwordCredential": {"startDateTime": "0001-01-01T00:00:00+14:00"}},
        {"passwordCredential": []},
        {"displayName": "not wrapped"},
    ],
)
def test_bad_secret_requests_add_nothing(body: dict[str, Any]) -> None:
    """A caller cannot choose what the service makes, nor misspell the rest."""
    with World() as world:
        directory, path = made(world)
        answer = directory.send("POST", f"{path}/addPassword", body)
        assert directory.read(path)["passwordCredentials"] == []
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [{}, {"keyId": "12"}, {"keyId": 5}, {"keyID": "12"}])
def test_remove_needs_a_key_id(body: dict[str, Any]) -> None:
    """Anything but one GUID is refused."""
    with World() as world:
        directory, path = made(world)
        answer = directory.send("POST", f"{path}/removePassword", body)
    assert answer.status_code == 400


def test_the_sandbox_keeps_no_secret_text() -> None:
    """Neither the state nor the log holds what addPassword returned."""
    with World() as world:
        directory, path = made(world)
        secret = directory.send("POST", f"{path}/addPassword", {}).json()["secretText"]
        assert secret not in repr(world.tenant)
        assert secret not in world.log_file.getvalue()


def test_uploaded_certificate_gets_thumbprint_and_dates() -> None:
    """What is not sent comes from the certificate."""
    with World() as world:
        directory = Directory(world)
        application = directory.new_application(keyCredentials=[PAIR.credential()])
    (credential,) = application["keyCredentials"]
    assert len(credential["customKeyIdentifier"]) == 40
    assert credential["customKeyIdentifier"].isupper()
    assert datetime.fromisoformat(credential["startDateTime"]) == PAIR.start
    assert datetime.fromisoformat(credential["endDateTime"]) == PAIR.end
    assert credential["key"] is None


def test_certificates_that_are_not_sent_again_are_lost() -> None:
    """The trap of PATCH keyCredentials: read with the bytes, append, send all."""
    with World() as world:
        directory, path = made(world)
        directory.send("PATCH", path, {"keyCredentials": [PAIR.credential()]})
        directory.send("PATCH", path, {"keyCredentials": [OTHER.credential()]})
        lost = directory.read(f"{path}?$select=keyCredentials")["keyCredentials"]
        both = [*lost, PAIR.credential()]
        answer = directory.send("PATCH", path, {"keyCredentials": both})
        kept = directory.read(f"{path}?$select=keyCredentials")["keyCredentials"]
    assert [entry["key"] for entry in lost] == [base64.b64encode(OTHER.der).decode()]
    assert answer.status_code == 204
    assert len(kept) == 2
    assert kept[0]["keyId"] == lost[0]["keyId"]


def test_certificates_without_bytes_are_refused() -> None:
    """Sending back what a plain read showed would lose the key: 400."""
    with World() as world:
        directory, path = made(world)
        directory.send("PATCH", path, {"keyCredentials": [PAIR.credential()]})
        shown = directory.read(path)["keyCredentials"]
        answer = directory.send("PATCH", path, {"keyCredentials": shown})
        kept = directory.read(f"{path}?$select=keyCredentials")["keyCredentials"]
    assert answer.status_code == 400
    assert kept[0]["key"] is not None


@pytest.mark.parametrize(
    ("credential", "text"),
    [
        (PAIR.credential(key="AAAA"), "Cannot find the requested object."),
        (PAIR.credential(usage="Sign"), "type or usage"),
        (PAIR.credential(type="X509CertAndPassword"), "type or usage"),
        (EXPIRED.credential(), "end date"),
        (PAIR.credential(startDateTime="2020-01-01T00:00:00Z"), "start date"),
    ],
)
def test_bad_certificates_are_refused(credential: dict[str, Any], text: str) -> None:
    """Garbage, wrong use and dates outside the certificate are all 400."""
    with World() as world:
        directory, path = made(world)
        answer = directory.send("PATCH", path, {"keyCredentials": [credential]})
    assert answer.status_code == 400
    assert text in error_of(answer)[2]


def restrict(world: World, kind: str, **restriction: Any) -> None:
    """Put one restriction into the tenant's default policy."""
    policy = world.tenant.default_app_management_policy
    policy["isEnabled"] = True
    policy["applicationRestrictions"][kind] = [restriction]


def test_policy_limits_the_life_of_a_secret() -> None:
    """A year is too long where half a year is allowed."""
    with World() as world:
        directory, path = made(world)
        restrict(
            world,
            "passwordCredentials",
            restrictionType="passwordLifetime",
            maxLifetime="P180D",
        )
        answers = [
            directory.send(
                "POST", f"{path}/addPassword", {"passwordCredential": {**dates}}
            )
            for dates in (
                {},
                {
                    "startDateTime": "2030-01-01T00:00:00Z",
                    "endDateTime": "2030-06-01T00:00:00Z",
                },
            )
        ]
    assert error_of(answers[0])[1] == "CredentialInvalidLifetimeAsPerAppPolicy"
    assert answers[1].status_code == 200


def test_policy_limits_the_life_of_a_certificate() -> None:
    """The same for certificates."""
    with World() as world:
        directory, path = made(world)
        restrict(
            world,
            "keyCredentials",
            restrictionType="asymmetricKeyLifetime",
            maxLifetime="P30D",
        )
        body = {"keyCredentials": [PAIR.credential()]}
        answer = directory.send("PATCH", path, body)
    assert error_of(answer)[1] == "CredentialInvalidLifetimeAsPerAppPolicy"


@pytest.mark.parametrize(
    ("property_", "value"),
    [
        ("restrictForAppsCreatedAfterDateTime", "2999-01-01T00:00:00Z"),
        ("state", "disabled"),
    ],
)
def test_policy_that_does_not_bind(property_: str, value: str) -> None:
    """A restriction that is off, or for later applications, restricts nothing."""
    with World() as world:
        directory, path = made(world)
        restriction = {"restrictionType": "passwordAddition", property_: value}
        restrict(world, "passwordCredentials", **restriction)
        assert directory.send("POST", f"{path}/addPassword", {}).status_code == 200


def test_an_assigned_policy_replaces_the_default() -> None:
    """An application with its own policy is free of the tenant's."""
    with World() as world:
        directory, path = made(world)
        restrict(world, "passwordCredentials", restrictionType="passwordAddition")
        own: dict[str, Any] = {
            "id": world.tenant.ids.guid(),
            "displayName": "SAP exemption",
            "description": None,
            "isEnabled": True,
            "restrictions": {"passwordCredentials": [], "keyCredentials": []},
        }
        identifier = path.rpartition("/")[2]
        world.tenant.app_management_policies[identifier] = [own]
        listed = directory.read(f"{path}/appManagementPolicies")["value"]
        answer = directory.send("POST", f"{path}/addPassword", {})
    assert [policy["displayName"] for policy in listed] == ["SAP exemption"]
    assert answer.status_code == 200
