"""The secrets of a vault: set, read, list, delete, recover, purge.

A secret is a list of versions; deleting keeps them for 90 days, during which the
name cannot be used.

Source: Microsoft Learn, Key Vault REST API reference, "Secrets"; "Azure Key Vault
soft-delete overview".
"""

import re
import secrets
from dataclasses import dataclass

from runbook_lib.sandbox.http import Answer, Call
from runbook_lib.sandbox.state import JsonObject, KeyVault, Tenant
from runbook_lib.sandbox.vault_bodies import attributes_of, bad_parameter, body_of
from runbook_lib.sandbox.vault_errors import VaultError, not_found

KEPT_DAYS = 90
LARGEST_VALUE = 25_600  # bytes
DEFAULT_PAGE = 25

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


@dataclass(frozen=True)
class VaultCall:
    """A permitted request with its vault; `keys` are the parts of its path."""

    call: Call
    tenant: Tenant
    keys: tuple[str, ...] = ()

    @property
    def vault(self) -> KeyVault:
        """Return the vault."""
        return self.tenant.vault

    @property
    def name(self) -> str:
        """Return the name of the secret; names do not tell case apart."""
        return self.keys[0].lower()

    @property
    def root(self) -> str:
        """Return the address of the vault."""
        return f"https://{self.call.host}"

    def now(self) -> int:
        """Return the moment that a stored date gets, in seconds."""
        return int(self.call.sandbox.now().timestamp())


def set_secret(request: VaultCall) -> Answer:
    """Answer PUT /secrets/{name}: a new version."""
    body = body_of(request.call)
    value = body.get("value")
    if not _NAME.fullmatch(request.keys[0]):
        raise bad_parameter("The request URI contains an invalid name.")
    if not isinstance(value, str) or len(value.encode()) > LARGEST_VALUE:
        raise bad_parameter("Property value is missing or too long.")
    if request.name in request.vault.deleted:
        if request.call.sandbox.holds("vault.soft-delete"):
            raise _deleted_name(request.keys[0])
        del request.vault.deleted[request.name]
    version = _new_version(request, body)
    kept = request.vault.secrets.setdefault(request.name, [])
    if not request.call.sandbox.holds("vault.versions"):
        kept.clear()
    kept.append(version)
    request.vault.values[version["id"]] = value
    return Answer(200, {"value": value, **version})


def get_secret(request: VaultCall) -> Answer:
    """Answer GET /secrets/{name} and GET /secrets/{name}/{version}."""
    version = _version(request)
    disabled = not version["attributes"]["enabled"]
    if disabled and request.call.sandbox.holds("vault.disabled"):
        raise VaultError(
            403,
            "Forbidden",
            "Operation get is not allowed on a disabled secret.",
            "SecretDisabled",
        )
    return Answer(200, {"value": request.vault.values[version["id"]], **version})


def update_secret(request: VaultCall) -> Answer:
    """Answer PATCH /secrets/{name}/{version}: everything but the value."""
    version, body = _version(request), body_of(request.call)
    attributes = attributes_of(body)
    version["attributes"] |= attributes | {"updated": request.now()}
    for name in ("contentType", "tags"):
        if name in body:
            version[name] = body[name]
    return Answer(200, version)


def list_secrets(request: VaultCall) -> Answer:
    """Answer GET /secrets: the newest version of each, without value."""
    found = [
        _listed(request, versions[-1], f"{request.root}/secrets/{name}")
        for name, versions in request.vault.secrets.items()
    ]
    return _page(request, found)


def list_versions(request: VaultCall) -> Answer:
    """Answer GET /secrets/{name}/versions; an unknown name has none."""
    versions = request.vault.secrets.get(request.name, [])
    return _page(request, [_listed(request, v, v["id"]) for v in versions])


def delete_secret(request: VaultCall) -> Answer:
    """Answer DELETE /secrets/{name}: all versions, recoverable."""
    versions = request.vault.secrets.pop(request.name, None)
    if versions is None:
        raise not_found(request.keys[0])
    now = request.now()
    for version in versions:
        version["deletedDate"] = now
    request.vault.deleted[request.name] = versions
    return Answer(200, _deleted(request, request.name))


def list_deleted(request: VaultCall) -> Answer:
    """Answer GET /deletedsecrets."""
    found = [_deleted(request, name) for name in request.vault.deleted]
    return _page(request, found)


def get_deleted(request: VaultCall) -> Answer:
    """Answer GET /deletedsecrets/{name}."""
    _check_deleted(request)
    return Answer(200, _deleted(request, request.name))


def purge_secret(request: VaultCall) -> Answer:
    """Answer DELETE /deletedsecrets/{name}: gone for good."""
    _check_deleted(request)
    for version in request.vault.deleted.pop(request.name):
        request.vault.values.pop(version["id"], None)
    return Answer(204)


def recover_secret(request: VaultCall) -> Answer:
    """Answer POST /deletedsecrets/{name}/recover."""
    _check_deleted(request)
    versions = request.vault.deleted.pop(request.name)
    for version in versions:
        version.pop("deletedDate", None)
    request.vault.secrets[request.name] = versions
    return Answer(200, versions[-1])


def _new_version(request: VaultCall, body: JsonObject) -> JsonObject:
    """Return a version as the service shows it, without its value."""
    now = request.now()
    attributes = {
        "enabled": True,
        **attributes_of(body),
        "created": now,
        "updated": now,
        "recoveryLevel": "Recoverable",
        "recoverableDays": KEPT_DAYS,
    }
    identifier = f"{request.root}/secrets/{request.keys[0]}/{secrets.token_hex(16)}"
    version: JsonObject = {"id": identifier, "attributes": attributes}
    version["tags"] = body.get("tags") or {}
    if body.get("contentType"):
        version["contentType"] = body["contentType"]
    return version


def _version(request: VaultCall) -> JsonObject:
    """Return the version that a path names, the newest where it names none."""
    versions = request.vault.secrets.get(request.name)
    if not versions:
        raise not_found(request.keys[0])
    if len(request.keys) == 1:
        return versions[-1]
    wanted = request.keys[1].lower()
    found = [v for v in versions if v["id"].rpartition("/")[2] == wanted]
    if not found:
        raise not_found("/".join(request.keys))
    return found[0]


def _listed(request: VaultCall, version: JsonObject, identifier: str) -> JsonObject:
    """Return an item of a list: never with its value."""
    item = {**version, "id": identifier}
    if not request.call.sandbox.holds("vault.list-without-values"):
        item["value"] = request.vault.values[version["id"]]
    return item


def _deleted(request: VaultCall, name: str) -> JsonObject:
    """Return a deleted secret as the service shows it."""
    version = request.vault.deleted[name][-1]
    return {
        **version,
        "recoveryId": f"{request.root}/deletedsecrets/{name}",
        "scheduledPurgeDate": version["deletedDate"] + KEPT_DAYS * 24 * 3600,
    }


def _check_deleted(request: VaultCall) -> None:
    """Refuse a name under which nothing is deleted."""
    if request.name not in request.vault.deleted:
        raise VaultError(
            404, "SecretNotFound", f"Deleted Secret not found: {request.keys[0]}"
        )


def _page(request: VaultCall, items: list[JsonObject]) -> Answer:
    """Return one page of a list, with the address of the next or null."""
    query = request.call.query
    size, start = (
        query.get("maxresults", str(DEFAULT_PAGE)),
        query.get("$skiptoken", "0"),
    )
    if not (_is_number(size) and _is_number(start) and 1 <= int(size) <= DEFAULT_PAGE):
        raise bad_parameter("The parameter maxresults is invalid.")
    end = int(start) + int(size)
    link = None
    if end < len(items):
        link = (
            f"{request.root}{request.call.path}?api-version={query['api-version']}"
            f"&$skiptoken={end}&maxresults={size}"
        )
    return Answer(200, {"value": items[int(start) : end], "nextLink": link})


def _is_number(text: str) -> bool:
    """Say whether a text is a small whole number."""
    return text.isascii() and text.isdigit() and len(text) < 9


def _deleted_name(name: str) -> VaultError:
    """Return the refusal of a name that is deleted and recoverable."""
    return VaultError(
        409,
        "Conflict",
        f"Secret {name} is currently in a deleted but recoverable state, and its name"
        " cannot be reused; in this state, the secret can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
    )
