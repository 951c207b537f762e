"""Errors of Exchange cmdlets as the admin API writes them.

Source: field reports of InvokeCommand answers (Microsoft365DSC issue 2998, CIPP);
Microsoft does not document this API.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

DOMAIN_CONTROLLER = "AM0PR01A01DC001.EURPR01A001.PROD.OUTLOOK.COM"

NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
ALREADY_EXISTS = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
ACCESS_ENTRY_MISSING = (
    "Microsoft.Exchange.Management.RecipientTasks.AceNotFoundException"
)
INVALID = "Microsoft.Exchange.Configuration.Tasks.ValidateException"
BINDING = "System.Management.Automation.ParameterBindingException"
NOT_IMPLEMENTED = "System.NotImplementedException"
BAD_REQUEST = "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"


@dataclass
class CmdletError(Exception):
    """A cmdlet refused: `kind` is the .NET type, `text` what a person reads.

    `row` is the behaviour that makes the refusal, where it is a listed one.
    """

    kind: str
    text: str
    status: int = 400
    row: str = ""

    def __str__(self) -> str:
        """Return the text that a person reads."""
        return self.text


def object_not_found(identity: str) -> CmdletError:
    """Return the error for an identity that names nothing."""
    return CmdletError(
        NOT_FOUND,
        f"The operation couldn't be performed because object '{identity}' couldn't "
        f"be found on '{DOMAIN_CONTROLLER}'.",
        status=404,
    )


def already_exists(kind_of_object: str, identity: str) -> CmdletError:
    """Return the error for a second object under one name.

    Only the words "already exist" are known from the field; the rest is ours.
    """
    return CmdletError(
        ALREADY_EXISTS,
        f"The {kind_of_object} '{identity}' already exists. (sandbox wording)",
    )


def error_envelope(error: CmdletError) -> dict[str, Any]:
    """Return the JSON body of a refusal, with the Ex code in front of its text."""
    code = {404: "NotFound", 400: "BadRequest"}.get(error.status, "InternalServerError")
    message = f"{error_code(error)}|{error.kind}|{error.text}"
    summary = "Error executing cmdlet"
    return {
        "error": {
            "code": code,
            "message": summary,
            "details": [{"code": "Context", "target": "", "message": message}],
            "innererror": {
                "message": summary,
                "type": BAD_REQUEST,
                "stacktrace": "",
                "internalexception": {
                    "message": message,
                    "type": error.kind,
                    "stacktrace": "",
                },
            },
        }
    }


def error_code(error: CmdletError) -> str:
    """Return `Ex` and six hexadecimal digits that depend on the error."""
    digest = hashlib.sha256(f"{error.kind}|{error.text}".encode()).hexdigest()
    return f"Ex{digest[:6].upper()}"
