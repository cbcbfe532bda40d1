"""What a provider says is believed when it is signed, for us, now, and about this log-in; else never."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from dashboards import provider as module
from dashboards.begun import Begun, ProviderError
from dashboards.provider import Provider
from hypervision.accounts import Role
from hypervision.claims import Identity
from hypervision.entry import OidcSettings
from tests.integration.openid import CLIENT, Hostile

pytestmark = pytest.mark.integration

BACK = "http://city.example/login/callback"


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    made = Hostile()
    yield made
    made.close()


def provider(hostile: Hostile, **given: Any) -> Provider:
    return Provider(
        OidcSettings(issuer=hostile.issuer, client_id=CLIENT, roles="ops=operator,admins=administrator", **given)
    )


def round_trip(hostile: Hostile, one: Provider, **given: str) -> Identity:
    """Somebody is sent to the provider and comes back."""
    begun = Begun.new()
    hostile.visit(one.begin(begun, back=BACK))
    return one.finish(begun, {"state": begun.state, "code": "c", **given}, back=BACK)


def refused(hostile: Hostile, reason: str = "provider_forged", **given: str) -> None:
    with pytest.raises(ProviderError) as caught:
        round_trip(hostile, provider(hostile), **given)
    assert caught.value.reason == reason, str(caught.value)


def unsigned(hostile: Hostile, header: dict[str, Any], signature: str = "") -> str:
    _head, body, _old = hostile.signed().split(".")
    return f"{encoded(header)}.{body}.{signature}"


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_honest_token_gives_name_and_role(hostile: Hostile) -> None:
    assert round_trip(hostile, provider(hostile)) == Identity(hostile.issuer, "7f3a", "ana", Role.OPERATOR)


def test_honest_token_for_several_with_us_as_the_party_counts(hostile: Hostile) -> None:
    hostile.claims = {"aud": [CLIENT, "other"], "azp": CLIENT}
    assert round_trip(hostile, provider(hostile)).name == "ana"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": ["another-client", "third"], "azp": CLIENT},
        {"aud": None},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    # Each worker collects for itself: no time of the clock in a name.
    ids=lambda claims: re.sub(r"\d{9,}", "time", json.dumps(claims)),
)
def test_token_for_another_client_issuer_log_in_or_time_is_refused(hostile: Hostile, claims: dict[str, Any]) -> None:
    hostile.claims = claims
    refused(hostile)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None"}, {"alg": ""}, {}, {"alg": "none", "kid": "first"}])
def test_token_without_signature_is_refused(hostile: Hostile, header: dict[str, Any]) -> None:
    hostile.nonce = "x"
    begun = Begun.new()
    one = provider(hostile)
    hostile.visit(one.begin(begun, back=BACK))
    hostile.token = unsigned(hostile, header)
    with pytest.raises(ProviderError) as caught:
        one.finish(begun, {"state": begun.state, "code": "c"}, back=BACK)
    assert caught.value.reason == "provider_forged"


def test_token_signed_with_the_public_key_as_a_shared_secret_is_refused(hostile: Hostile) -> None:
    begun, one = Begun.new(), provider(hostile)
    hostile.visit(one.begin(begun, back=BACK))
    now = int(time.time())
    claims = {"iss": hostile.issuer, "aud": CLIENT, "sub": "x", "exp": now + 60, "iat": now, "nonce": begun.nonce}
    signed = ".".join(encoded(part) for part in ({"alg": "HS256", "kid": "first"}, claims))
    digest = hmac.digest(hostile.key.as_pem(private=False), signed.encode(), "sha256")
    hostile.token = f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    with pytest.raises(ProviderError) as caught:
        one.finish(begun, {"state": begun.state, "code": "c"}, back=BACK)
    assert caught.value.reason == "provider_forged"


def test_token_signed_by_a_key_of_somebody_else_is_refused(hostile: Hostile) -> None:
    hostile.signer = RSAKey.generate_key(2048, parameters={"kid": "first"})
    refused(hostile)
    hostile.signer = RSAKey.generate_key(2048, parameters={"kid": "unknown"})
    refused(hostile)


def test_state_of_another_browser_is_refused_before_the_provider_is_asked(hostile: Hostile) -> None:
    for given in ({"state": "forged"}, {"state": ""}, {"iss": "https://other.example"}):
        refused(hostile, **given)
    assert "/token" not in hostile.asked


def test_code_is_of_no_use_without_the_verifier_of_who_asked(hostile: Hostile) -> None:
    begun, other, one = Begun.new(), Begun.new(), provider(hostile)
    hostile.visit(one.begin(begun, back=BACK))
    with pytest.raises(ProviderError) as caught:
        one.finish(other, {"state": other.state, "code": "stolen"}, back=BACK)
    assert caught.value.reason == "provider_refused"


def test_provider_that_refuses_is_said_so(hostile: Hostile) -> None:
    refused(hostile, "provider_refused", error="access_denied")
    refused(hostile, "provider_refused", code="")


@pytest.mark.parametrize("claims", [{"groups": None}, {"groups": ["guests"]}, {"groups": "admins ops"}])
def test_nobody_comes_in_without_a_role_of_the_mapping(hostile: Hostile, claims: dict[str, Any]) -> None:
    hostile.claims = claims
    hostile.userinfo = {"sub": "7f3a"}
    refused(hostile, "provider_unknown")


def test_claims_may_stand_at_the_userinfo_address_if_they_are_about_the_same(hostile: Hostile) -> None:
    hostile.claims = {"groups": None}
    hostile.userinfo = {"sub": "7f3a", "groups": ["admins"], "preferred_username": "other"}
    # What is signed goes before what is not.
    assert round_trip(hostile, provider(hostile)) == Identity(hostile.issuer, "7f3a", "ana", Role.ADMINISTRATOR)
    hostile.userinfo["sub"] = "somebody else"
    refused(hostile)


def test_keys_that_changed_are_asked_for_anew_but_not_at_every_token(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = provider(hostile)
    round_trip(hostile, one)
    hostile.signer = RSAKey.generate_key(2048, parameters={"kid": "second", "use": "sig"})
    # Beside the new key stand others that are of no use here.
    curve = ECKey.generate_key("P-256", parameters={"kid": "e", "use": "enc"}).as_dict(private=False)
    hostile.keys = [{"kty": "new"}, {"kty": "RSA", "kid": "broken"}, curve, hostile.signer.as_dict(private=False)]
    asked = hostile.asked.count("/keys")
    for _ in range(3):
        with pytest.raises(ProviderError):
            round_trip(hostile, one)
    assert hostile.asked.count("/keys") == asked
    monkeypatch.setattr(module, "_KEYS_AGAIN", 0.0)
    assert round_trip(hostile, one).name == "ana"
    assert hostile.asked.count("/keys") == asked + 1


@pytest.mark.parametrize(("skew", "off", "taken"), [(60.0, 30, True), (60.0, 90, False), (0.0, 30, False)])
def test_clock_of_the_provider_may_differ_by_the_setting(
    hostile: Hostile, skew: float, off: int, *, taken: bool
) -> None:
    now = int(time.time())
    for claims in ({"exp": now - off}, {"iat": now + off, "exp": now + 600}):
        hostile.claims = claims
        one = provider(hostile, skew=skew)
        if taken:
            assert round_trip(hostile, one).name == "ana"
        else:
            with pytest.raises(ProviderError, match="not to be trusted"):
                round_trip(hostile, one)


def test_provider_that_names_itself_otherwise_is_away(hostile: Hostile) -> None:
    hostile.metadata = {"issuer": "https://evil.example"}
    with pytest.raises(ProviderError) as caught:
        provider(hostile).begin(Begun.new(), back=BACK)
    assert caught.value.reason == "provider_away"


def test_provider_that_is_gone_is_asked_seldom_and_comes_back(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.metadata = {"issuer": "x"}
    one = provider(hostile)
    for _ in range(5):
        with pytest.raises(ProviderError):
            one.begin(Begun.new(), back=BACK)
    assert len(hostile.asked) == 1
    hostile.metadata = {}
    monkeypatch.setattr(module, "_FAILED", 0.0)
    assert one.begin(Begun.new(), back=BACK).startswith(hostile.issuer)


def test_log_out_leads_to_the_provider_and_back(hostile: Hostile) -> None:
    one = provider(hostile)
    assert one.log_out_address("http://city.example") == ""
    one.begin(Begun.new(), back=BACK)
    address = one.log_out_address("http://city.example")
    assert address.startswith(f"{hostile.issuer}/leave?client_id=hypervision&post_logout_redirect_uri=")
