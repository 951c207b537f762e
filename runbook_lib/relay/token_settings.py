"""The settings of `runbook relay-token`: one YAML file on the relay's host."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from runbook_lib.tenant import ConnectTo
from runbook_lib.tenant_fields import Model, Reference

_SCOPE = re.compile(r"https://[a-z0-9.-]+/\.default")


def _scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise ValueError("not a scope such as https://outlook.office365.com/.default")
    return text


class TokenSettings(Model):
    """Whose token is kept good, where it is written, and when it is renewed.

    `credential` is a reference to a client secret, or to a key with its
    certificate. `log` is Postfix's log, in which a refused sign-in is looked for;
    empty: none. `connect_to` and `ca_file` are for a sandbox, on loopback only.
    """

    schema_version: Literal[1] = Field(alias="schema")
    tenant_id: UUID
    client_id: UUID
    credential: Reference
    login: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    scope: Annotated[str, AfterValidator(_scope)]
    token_file: str
    renew_before: Annotated[int, Field(ge=60, le=3000)] = 900
    log: str = ""
    connect_to: tuple[str, ...] = ()
    ca_file: str | None = Field(default=None, validate_default=True)

    @field_validator("connect_to")
    @classmethod
    def _on_loopback(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ConnectTo.parse(text)
        return value

    @field_validator("ca_file")
    @classmethod
    def _with_its_sandbox(cls, value: str | None, info: ValidationInfo) -> str | None:
        if bool(value) != bool(info.data.get("connect_to")):
            raise ValueError("connect_to and ca_file go together, for a sandbox")
        return value

    def routes(self) -> tuple[ConnectTo, ...]:
        """Return `connect_to`, read."""
        return tuple(ConnectTo.parse(text) for text in self.connect_to)
