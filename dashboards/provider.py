"""An OpenID provider: where it sends people, and what it says of who came back (OpenID Connect Core 1.0)."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

from dashboards.begun import Begun, ProviderError
from hypervision.claims import Identity, name_of, role_of, roles_of
from hypervision.entry import OidcSettings
from hypervision.errors import AccessError

log = logging.getLogger(__name__)

# Signatures by a key that the provider alone has: never `none`, and never HMAC, whose key a leaked file tells.
_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
# What a provider says of itself is believed for so long [s]; a failure to ask, for so long.
_FRESH: Final = 3600.0
_FAILED: Final = 5.0
# Keys are asked for anew when one is unknown, but not more often than this [s]: anybody can name a key.
_KEYS_AGAIN: Final = 30.0
# To connect, and to wait for a part of the answer [s].
_TIMEOUT: Final = (3.0, 5.0)


class Provider:
    """The provider of the settings.

    Parameters
    ----------
    settings : OidcSettings
        With an issuer.
    clock : callable
        Seconds since the Unix epoch, by which tokens are judged.
    """

    def __init__(self, settings: OidcSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] = {}
        self._asked = self._failed = self._keys_asked = -1e9
        self._keys = KeySet([])

    def begin(self, begun: Begun, *, back: str) -> str:
        """The address at which somebody proves to the provider who they are.

        Parameters
        ----------
        back : str
            Where the provider sends them afterwards; it must know this address.

        Raises
        ------
        ProviderError
            The provider does not answer.
        """
        metadata = self._known()
        with self._client(metadata, back) as client:
            address, _state = client.create_authorization_url(
                _text(metadata, "authorization_endpoint"),
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return str(address)

    def finish(self, begun: Begun, given: Mapping[str, str], *, back: str) -> Identity:
        """Who came back.

        Parameters
        ----------
        given : mapping
            What the provider put into the address.

        Raises
        ------
        ProviderError
            The answer is not the one to this browser's question, the provider refused, or its token is none to trust.
        """
        if not hmac.compare_digest(given.get("state", "").encode(), begun.state.encode()):
            raise ProviderError("the answer is to another question", reason="provider_forged")
        # RFC 9207: of two providers, one must not answer for the other.
        if given.get("iss", self._settings.issuer) != self._settings.issuer:
            raise ProviderError("the answer is of another provider", reason="provider_forged")
        if "error" in given or not given.get("code"):
            raise ProviderError(f"the provider said {given.get('error', '')[:80]!r}", reason="provider_refused")
        metadata = self._known()
        with self._client(metadata, back) as client:
            token = self._token(client, metadata, given["code"], begun.verifier)
            claims = self._claims(token, begun.nonce)
            return self._identity(self._completed(claims, client, metadata))

    def _token(self, client: Any, metadata: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = client.fetch_token(
                _text(metadata, "token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                # The code goes where the provider said, and nowhere else.
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError) as error:
            raise ProviderError(f"the provider does not give a token ({error})", reason="provider_away") from None
        except AuthlibBaseError as error:
            raise ProviderError(f"the provider refuses the code ({error})", reason="provider_refused") from None
        return found

    def log_out_address(self, base: str) -> str:
        """Where a browser ends its session at the provider too; empty where it cannot."""
        place = self._metadata.get("end_session_endpoint")
        if not isinstance(place, str) or not place.startswith("https://" if base.startswith("https://") else "http"):
            return ""
        given = {"client_id": self._settings.client_id, "post_logout_redirect_uri": f"{base}/login"}
        return str(add_params_to_uri(place, list(given.items())))

    def _client(self, metadata: Mapping[str, Any], back: str) -> Any:
        secret = self._settings.client_secret
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        known = [way for way in ("client_secret_basic", "client_secret_post") if way in methods]
        return OAuth2Session(
            client_id=self._settings.client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            token_endpoint_auth_method="none" if secret is None else (known or ["client_secret_basic"])[0],
            code_challenge_method="S256",
            scope=self._settings.scopes,
            redirect_uri=back,
            default_timeout=_TIMEOUT,
            # The token is used at once: one that lives for a minute has not expired.
            leeway=0,
        )

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            now = time.monotonic()
            if now - self._asked < _FRESH:
                return self._metadata
            if now - self._failed >= _FAILED:
                try:
                    self._metadata = self._discovered()
                    self._asked = now
                except (requests.RequestException, ValueError) as error:
                    self._failed = time.monotonic()
                    log.warning("the provider %s does not say what it is: %s", self._settings.issuer, error)
            if not self._metadata:
                raise ProviderError("the provider does not answer", reason="provider_away")
            # An old answer is better than none.
            return self._metadata

    def _discovered(self) -> Mapping[str, Any]:
        found = _document(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._settings.issuer:
            raise ValueError(
                f"it names itself {found.get('issuer')!r}: set oidc.issuer to that, if it is the right one"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if self._settings.issuer.startswith("https://") and not _text(found, name).startswith("https://"):
                raise ValueError(f"its {name} is no https address")
        return found

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        given = token.get("id_token")
        if not isinstance(given, str):
            raise ProviderError("the provider gave no token of identity", reason="provider_refused")
        try:
            try:
                decoded = self._decoded(given, self._key_set())
            except InvalidKeyIdError:
                decoded = self._decoded(given, self._key_set(anew=True))
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self._settings.issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                },
                {
                    "nonce": nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token"),
                },
            )  # fmt: skip
            claims.validate(now=int(self._clock()), leeway=int(self._settings.skew))
        except (JoseError, AuthlibBaseError, ValueError, TypeError) as error:
            raise ProviderError(
                f"the provider's token is not to be trusted ({error})", reason="provider_forged"
            ) from None
        except requests.RequestException as error:
            raise ProviderError(f"the provider does not tell its keys ({error})", reason="provider_away") from None
        return dict(claims)

    def _decoded(self, given: str, keys: KeySet) -> jwt.Token:
        supported = self._metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        allowed = sorted(_ALGORITHMS & {name for name in supported if isinstance(name, str)})
        return jwt.decode(given, keys, registry=JWSRegistry(algorithms=allowed, strict_check_header=False))

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            now = time.monotonic()
            least = _KEYS_AGAIN if anew else _FRESH
            if now - self._keys_asked >= least or not self._keys:
                self._keys = _keys(_document(_text(self._metadata, "jwks_uri")))
                self._keys_asked = now
            return self._keys

    def _completed(self, claims: Mapping[str, Any], client: Any, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        """The claims of the token, with what the provider tells at its other address alone."""
        wanted = [self._settings.name_claim, *([self._settings.role_claim] if self._settings.roles else [])]
        place = metadata.get("userinfo_endpoint")
        if all(name.split(".")[0] in claims or name in claims for name in wanted) or not isinstance(place, str):
            return claims
        try:
            answer = client.get(place, timeout=_TIMEOUT, allow_redirects=False)
            answer.raise_for_status()
            more = answer.json()
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise ProviderError(f"the provider does not tell about them ({error})", reason="provider_away") from None
        # Core 1.0, section 5.3.2: else it could be about somebody else.
        if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
            raise ProviderError("the provider tells about somebody else", reason="provider_forged")
        return {**more, **claims}

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        settings = self._settings
        roles = roles_of(settings.roles)
        role = role_of(claims, settings.role_claim, roles)
        if roles and role is None:
            raise ProviderError(
                f"the claim {settings.role_claim!r} of {str(claims['sub'])[:64]!r} gives no role by oidc.roles",
                reason="provider_unknown",
            )
        subject = str(claims["sub"])
        # Core 1.0, section 2: 255 letters of ASCII at most, and never none.
        if not 0 < len(subject) <= 255 or not subject.isascii():
            raise ProviderError("the provider's name for them is none", reason="provider_forged")
        try:
            name = name_of(claims, settings.name_claim)
        except AccessError as error:
            raise ProviderError(str(error), reason="provider_unknown") from None
        return Identity(settings.issuer, subject, name, role)


def _document(address: str) -> dict[str, Any]:
    answer = requests.get(address, timeout=_TIMEOUT, allow_redirects=False, headers={"Accept": "application/json"})
    if answer.status_code != requests.codes.ok:
        raise ValueError(f"{address} answers with {answer.status_code}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} answers with no JSON object")  # noqa: TRY004 -- of what came, not of our call
    return found


def _keys(found: Mapping[str, Any]) -> KeySet:
    """The keys that sign; what is of a kind unknown here is left out, and does not hide the others."""
    kept = []
    for one in found.get("keys", []):
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            kept.append(JWKRegistry.import_key(one))
        except (JoseError, ValueError, TypeError) as error:
            log.warning("a key of the provider is of no use: %s", error)
    return KeySet(kept)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise ValueError(f"it does not tell its {name}")  # noqa: TRY004 -- as above
    return value
