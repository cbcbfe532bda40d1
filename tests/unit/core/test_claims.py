"""What a provider claims of somebody becomes a name and a role, and by default nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hypervision.accounts import Role
from hypervision.claims import name_of, role_of, roles_of
from hypervision.errors import AccessError

ROLES = roles_of("ops=operator, admins = administrator,Town Engineers=engineer")


def test_mapping_is_read_with_spaces_and_capitals() -> None:
    assert ROLES == {"ops": Role.OPERATOR, "admins": Role.ADMINISTRATOR, "Town Engineers": Role.ENGINEER}
    assert roles_of("") == roles_of("  ") == {}


@pytest.mark.parametrize(
    "text", ["ops", "ops=", "=operator", "ops=king", "ops=operator,", "a=b=operator", "ops=Operator"]
)
def test_broken_mapping_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write group=role"):
        roles_of(text)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["ops"]}, Role.OPERATOR),
        ({"groups": ["ops", "admins", "Town Engineers"]}, Role.ADMINISTRATOR),
        ({"groups": "ops"}, Role.OPERATOR),
        ({"groups": "ops admins"}, None),
        ({"groups": ["OPS"]}, None),
        ({"groups": []}, None),
        ({"groups": None}, None),
        ({"groups": {"ops": True}}, None),
        ({"groups": [["ops"], {"name": "ops"}, 7]}, None),
        ({}, None),
    ],
)
def test_role_is_that_of_a_word_of_the_mapping_and_else_none(claims: dict[str, Any], role: Role | None) -> None:
    assert role_of(claims, "groups", ROLES) is role


def test_claim_within_others_is_found_by_its_path_and_one_with_dots_in_its_name_too() -> None:
    assert role_of({"realm_access": {"roles": ["ops"]}}, "realm_access.roles", ROLES) is Role.OPERATOR
    assert role_of({"https://x.example/roles": ["ops"]}, "https://x.example/roles", ROLES) is Role.OPERATOR
    assert role_of({"realm_access": ["ops"]}, "realm_access.roles", ROLES) is None


@pytest.mark.parametrize("claims", [{}, {"name": ""}, {"name": " "}, {"name": 7}, {"name": ["ana"]}])
def test_name_that_is_not_told_is_said_with_the_setting(claims: dict[str, Any]) -> None:
    with pytest.raises(AccessError, match=r"oidc\.name_claim"):
        name_of(claims, "name")


def test_name_is_told() -> None:
    assert name_of({"name": " ana "}, "name") == "ana"
