"""OpenID providers for tests: a real one in a process of its own, and a hostile one that answers as a test tells it."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from hypervision.services import ports

CLIENT = "hypervision"


@contextmanager
def real_provider(users: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The issuer of an `oidc-provider-mock` that knows these people, each by subject with claims."""
    port = ports.free()
    argv = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    for subject, claims in users.items():
        argv += ["--user-claims", json.dumps({"sub": subject, **claims})]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{base}/.well-known/openid-configuration", timeout=5).status_code == 200:
                    break
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(10)


class Hostile:
    """A provider whose next token a test writes.

    Attributes
    ----------
    claims, header : dict
        Put over those of an honest token.
    token : str or None
        Given instead of a token of its own.
    keys : list
        What it publishes.
    asked : list of str
        The paths that were asked for.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig", "alg": "RS256"})
        self.signer = self.key
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.token: str | None = None
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.keys: list[dict[str, Any]] = [self.key.as_dict(private=False)]
        self.asked: list[str] = []
        self.nonce = ""
        self.challenge = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def visit(self, address: str) -> None:
        """What a browser does that is sent here: the provider learns nonce and challenge."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        self.nonce, self.challenge = asked["nonce"], asked["code_challenge"]

    def signed(self) -> str:
        """The token as it stands now."""
        if self.token is not None:
            return self.token
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "7f3a", "exp": now + 300, "iat": now, "nonce": self.nonce,
            "preferred_username": "ana", "groups": ["ops"],
        } | self.claims  # fmt: skip
        header = {"alg": "RS256", "kid": self.signer.kid, **self.header}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, kept, self.signer, algorithms=[header["alg"]])

    def _document(self, path: str, body: dict[str, str]) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo", "end_session_endpoint": f"{self.issuer}/leave",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            } | self.metadata  # fmt: skip
        if path == "/keys":
            return {"keys": self.keys}
        if path == "/userinfo":
            return self.userinfo
        if path == "/token":
            digest = hashlib.sha256(body.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != self.challenge:
                return {"error": "invalid_grant"}
            return {"access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": self.signed()}
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                provider.asked.append(self.path)
                found = provider._document(urlsplit(self.path).path, body)
                text = json.dumps(found or {}).encode()
                self.send_response(404 if found is None else 400 if "error" in found else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _answer  # noqa: N815

            def log_message(self, *_given: object) -> None:
                """Nothing on the terminal."""

        return Handler
