"""Who somebody is here, by what an OpenID provider claims of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypervision.accounts import RIGHTS, Role
from hypervision.errors import AccessError

_PAIR: Final = re.compile(r"\s*([^=,]*[^=,\s])\s*=\s*([a-z]+)\s*")


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as a provider knows them.

    Attributes
    ----------
    issuer, subject : str
        The two that never change, and by which an account is found again.
    name : str
        The name that an account of theirs has here.
    role : Role or None
        By the mapping of the settings; None where there is none, and the account's own counts.
    """

    issuer: str
    subject: str
    name: str
    role: Role | None


def roles_of(text: str) -> dict[str, Role]:
    """The mapping of a setting, from a provider's word to a role.

    Raises
    ------
    ValueError
        A pair is broken, or names no role.

    Examples
    --------
    >>> roles_of("town operators=operator, admins = administrator")["town operators"].value
    'operator'
    """
    found = {}
    for part in text.split(",") if text.strip() else ():
        pair = _PAIR.fullmatch(part)
        if pair is None or pair[2] not in set(Role):
            raise ValueError(f"write group=role with commas between, the roles being {', '.join(Role)}")
        found[pair[1]] = Role(pair[2])
    return found


def role_of(claims: Mapping[str, Any], claim: str, roles: Mapping[str, Role]) -> Role | None:
    """The role with the most rights that a claim gives; None where it gives none, which lets nobody in.

    Parameters
    ----------
    claim : str
        The claim's name; within objects with dots, such as `realm_access.roles`.

    Examples
    --------
    >>> claims = {"realm_access": {"roles": ["guests", "ops"]}}
    >>> role_of(claims, "realm_access.roles", {"ops": Role.OPERATOR, "admins": Role.ADMINISTRATOR}).value
    'operator'
    """
    value = _at(claims, claim)
    words = value if isinstance(value, list | tuple) else [value]
    found = [role for word, role in roles.items() if word in words]
    return max(found, key=_weight, default=None)


def name_of(claims: Mapping[str, Any], claim: str) -> str:
    """The name of the account.

    Raises
    ------
    AccessError
        The provider does not claim it as a text.
    """
    value = _at(claims, claim)
    if not isinstance(value, str) or not value.strip():
        raise AccessError(
            f"the provider does not tell the claim {claim!r}",
            remedy="let it, or name another in the setting oidc.name_claim",
        )
    return value.strip()


def _at(claims: Mapping[str, Any], path: str) -> object:
    # A claim whose own name holds dots, such as an address, is found whole first.
    if path in claims:
        return claims[path]
    value: object = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _weight(role: Role) -> int:
    return sum(role in allowed for allowed in RIGHTS.values())
