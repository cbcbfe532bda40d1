"""The settings of how people come in: second factors, and the OpenID provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

if TYPE_CHECKING:
    from hypervision.accounts import Role

# A provider there is a test's, or one behind a proxy of this machine: what goes to it crosses no wire.
_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogInSettings(_Section):
    """What a log-in asks for."""

    # Roles, with commas, whose accounts need a second factor for a log-in with a password.
    second_factor: str = ""

    @field_validator("second_factor")
    @classmethod
    def _roles(cls, value: str) -> str:
        # Imported here as below: what knows of passwords takes a tenth of a second, and most processes need it never.
        if not value:
            return value
        from hypervision.accounts import Role

        if not set(_words(value)) <= set(Role):
            raise ValueError(f"write roles with commas, among {', '.join(Role)}")
        return value

    @property
    def factor_roles(self) -> frozenset[Role]:
        """The roles that have to have a second factor."""
        from hypervision.accounts import Role

        return frozenset(map(Role, _words(self.second_factor)))


class OidcSettings(_Section):
    """The OpenID provider by which people may log in; none without its address."""

    issuer: str = ""
    client_id: Annotated[str, Field(max_length=255, validate_default=True)] = ""
    client_secret: SecretStr | None = None
    # As browsers reach the control room, such as https://city.example; without it, the address that they ask for.
    public_url: Annotated[str, Field(pattern=r"^(https?://[A-Za-z0-9._:\[\]-]{1,253})?$")] = ""
    label: Annotated[str, Field(max_length=64)] = ""
    scopes: Annotated[str, Field(pattern=r"^openid( [\x21-\x7e]+)*$")] = "openid profile"
    name_claim: Annotated[str, Field(min_length=1, max_length=128)] = "preferred_username"
    role_claim: Annotated[str, Field(min_length=1, max_length=128)] = "groups"
    # Which of the provider's words gives which role, such as `town-operators=operator,town-admins=administrator`.
    roles: str = ""
    # known: an administrator added the account before; made: it is made at the first log-in.
    accounts: Literal["known", "made"] = "known"
    # By so much may the provider's clock and ours differ [s].
    skew: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 60.0

    @field_validator("issuer")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        if value and (not secure or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("write the provider's address as it names itself, beginning with https://")
        return value

    @field_validator("roles")
    @classmethod
    def _mapping(cls, value: str) -> str:
        if value:
            from hypervision.claims import roles_of

            roles_of(value)
        return value

    @field_validator("client_id")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("issuer") and not value:
            raise ValueError("write the name by which the provider knows this platform")
        return value

    @field_validator("accounts")
    @classmethod
    def _with_roles(cls, value: str, info: ValidationInfo) -> str:
        if value == "made" and not info.data.get("roles"):
            raise ValueError("write known, or set oidc.roles: else nobody knows what role a new account has")
        return value


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
