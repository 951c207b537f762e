"""Applications (app registrations) in Microsoft Graph."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_lib.clients.graph_requests import (
    SERVICE,
    GraphRequests,
    by_app_id,
    literal,
    segment,
)
from runbook_lib.clients.replies import json_object, unknown_reply
from runbook_lib.secret import Secret

READ = "Application.Read.All"
WRITE = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"

PROPERTIES = (
    *("id", "appId", "displayName", "signInAudience", "notes"),
    *("requiredResourceAccess", "keyCredentials", "passwordCredentials"),
    "createdDateTime",
)


class Applications(GraphRequests):
    """Reads and writes applications; `object_id` is never the appId here.

    Source: Microsoft Graph v1.0, application resource type.
    """

    def applications_named(self, display_name: str) -> list[dict[str, object]]:
        """Return the applications with exactly this display name.

        A display name is not unique: none, one or several may be found. The
        search index lags behind a create by seconds to a minute. `key` of each
        key credential is null in a list.

        Source: application-list.
        """
        query = {
            "$filter": f"displayName eq {literal(display_name)}",
            "$select": ",".join(PROPERTIES),
        }
        return self._list("/applications", needs=READ, query=query)

    def application_by_app_id(self, app_id: str) -> dict[str, object] | None:
        """Return the application with a client ID, or None if there is none.

        Source: application-get (alternate key).
        """
        path = f"/applications{by_app_id(app_id)}"
        return self._find(path, needs=READ, select=PROPERTIES)

    def application(self, object_id: str) -> dict[str, object] | None:
        """Return one application, or None if there is none (or not yet).

        Key credentials carry their `key`, because they are selected for a single
        object: whoever writes the collection has to send all of them again.

        Source: application-get; keyCredential resource type.
        """
        path = f"/applications/{segment(object_id)}"
        return self._find(path, needs=READ, select=PROPERTIES)

    def application_owners(self, object_id: str) -> list[dict[str, object]]:
        """Return the owners, which are directory objects of any kind.

        Source: application-list-owners.
        """
        return self._list(f"/applications/{segment(object_id)}/owners", needs=READ)

    def create_application(self, body: Mapping[str, object]) -> dict[str, object]:
        """Create an application and return it as the service shows it.

        Source: application-post-applications.
        """
        response = self._send("POST", "/applications", needs=WRITE, body=body)
        return json_object(SERVICE, response)

    def update_application(self, object_id: str, changes: Mapping[str, object]) -> None:
        """Change the named properties; a collection is replaced as a whole.

        Source: application-update.
        """
        path = f"/applications/{segment(object_id)}"
        self._send("PATCH", path, needs=WRITE, body=changes)

    def delete_application(self, object_id: str) -> None:
        """Delete an application; it can be restored for about 30 days.

        Source: application-delete.
        """
        self._send("DELETE", f"/applications/{segment(object_id)}", needs=WRITE)

    def add_password(
        self, object_id: str, *, display_name: str, end: str
    ) -> tuple[dict[str, object], Secret]:
        """Add a client secret; return its credential and, apart, its value.

        `end` is an RFC 3339 time. The credential has no secretText: the value is
        shown by the service once, here. The recording layer masks the value before
        it reports the answer.

        Source: application-addpassword.
        """
        response = self._send(
            "POST",
            f"/applications/{segment(object_id)}/addPassword",
            needs=WRITE,
            body={
                "passwordCredential": {"displayName": display_name, "endDateTime": end}
            },
        )
        credential = json_object(SERVICE, response)
        secret = credential.pop("secretText", None)
        if not isinstance(secret, str) or not secret:
            raise unknown_reply(SERVICE, response)
        return credential, Secret(secret)

    def remove_password(self, object_id: str, key_id: str) -> None:
        """Remove one client secret by its keyId.

        Source: application-removepassword.
        """
        path = f"/applications/{segment(object_id)}/removePassword"
        self._send("POST", path, needs=WRITE, body={"keyId": key_id})

    def app_management_policies(self, object_id: str) -> list[dict[str, object]]:
        """Return the policies assigned to this application; usually none.

        Source: application resource type, relationship appManagementPolicies.
        """
        path = f"/applications/{segment(object_id)}/appManagementPolicies"
        return self._list(path, needs="Policy.Read.All")
