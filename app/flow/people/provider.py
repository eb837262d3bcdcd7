"""Sign-in at an identity provider by OpenID Connect: the authorization code flow with PKCE, state and nonce.

Authlib makes the requests and checks the answers; httpx2 carries them, within limits of time and size. What a sign-in
needs to be finished (`Attempt`) lies in the browser's cookie, so a flood of begun sign-ins costs no memory. The provider
is named by the operator, so its address is not judged as a subscriber's is.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import httpx2
import orjson
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.flow.people.identity import Attempt, Identity, ProviderFailed, ProviderRefused
from app.settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key pair. Neither `none` nor one by the client's secret, which a leaked secret could forge."""

_LEEWAY: Final = 60
"""Seconds by which the provider's clock may differ."""
_VERIFIER_LENGTH: Final = 64
_STATE_LENGTH: Final = 32
_NAMED: Final = 300
"""Characters of the provider's own explanation that are passed on."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The provider of the settings. Its discovery document and keys are cached."""

    def __init__(self, settings: Settings, issuer: str) -> None:
        self._settings = settings
        self.issuer = issuer
        self._client_id = settings.oidc_client_id or ""
        self._ttl = settings.oidc_metadata_ttl.total_seconds()
        self._cached: dict[str, tuple[float, dict[str, Any]]] = {}

    async def begin(self, redirect_uri: str, go_to: str) -> tuple[str, Attempt]:
        """The address at which a person signs in, and what finishes it. Raises ProviderFailed."""
        metadata = await self._metadata()
        attempt = Attempt(
            generate_token(_STATE_LENGTH),
            generate_token(_STATE_LENGTH),
            generate_token(_VERIFIER_LENGTH),
            go_to,
        )
        url = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client_id=self._client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=" ".join(self._settings.oidc_scopes),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url, attempt

    async def finish(self, redirect_uri: str, answer: Mapping[str, str], attempt: Attempt) -> Identity:
        """Whom the provider's answer names. Raises ProviderRefused and ProviderFailed."""
        if answer.get("state") != attempt.state:
            raise ProviderRefused("the answer does not belong to this sign-in; start again")
        if answer.get("iss", self.issuer) != self.issuer:
            raise ProviderRefused("the answer is from another provider")
        if "error" in answer:
            why = answer.get("error_description") or answer["error"]
            raise ProviderRefused(f"the provider answers: {why[:_NAMED]}")
        tokens = await self._exchange(redirect_uri, answer.get("code", ""), attempt.verifier)
        return await self._identity(tokens, attempt.nonce)

    async def sign_out_address(self, id_token: str, return_to: str) -> str | None:
        """Where the provider ends its own session too; none where it has no such address. Raises ProviderFailed."""
        endpoint = (await self._metadata()).get("end_session_endpoint")
        if not isinstance(endpoint, str) or not _is_safe(endpoint):
            return None
        given = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": return_to,
            "client_id": self._client_id,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(given)}"

    async def _exchange(self, redirect_uri: str, code: str, verifier: str) -> dict[str, Any]:
        if not code:
            raise ProviderRefused("the answer has no code")
        url = (await self._metadata())["token_endpoint"]
        body = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=verifier
        )
        url, headers, body = self._signed(url, body)
        return await self._fetch("POST", url, headers=headers, content=body)

    def _signed(self, url: str, body: str) -> tuple[str, dict[str, str], str]:
        secret = self._settings.oidc_client_secret
        method = "none" if secret is None else "client_secret_basic"
        client = ClientAuth(self._client_id, secret.get_secret_value() if secret else None, method)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return cast("tuple[str, dict[str, str], str]", client.prepare("POST", url, headers, body))

    async def _identity(self, tokens: dict[str, Any], nonce: str) -> Identity:
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderFailed("the provider's answer has no ID token")
        claims = await self._claims(id_token, nonce, tokens.get("access_token"))
        groups = claims.get(self._settings.oidc_groups_claim)
        name = claims.get(self._settings.oidc_name_claim)
        shown = claims.get("name")
        return Identity(
            self.issuer,
            str(claims["sub"]),
            name if isinstance(name, str) else None,
            shown if isinstance(shown, str) else None,
            frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
            id_token,
        )

    async def _claims(self, id_token: str, nonce: str, access_token: object) -> dict[str, Any]:
        try:
            decoded = await self._decoded(id_token)
            options = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._client_id},
            }
            given = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
            claims = CodeIDToken(decoded.claims, decoded.header, cast(Any, options), given)
            claims.validate(leeway=_LEEWAY)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            raise ProviderRefused(f"the ID token is not valid: {error}") from error
        return cast("dict[str, Any]", claims)

    async def _decoded(self, id_token: str) -> jwt.Token:
        """The token, by the cached keys or, if it is signed by none of them, by the present ones."""
        try:
            return jwt.decode(id_token, await self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            self._cached.pop("jwks_uri", None)
            return jwt.decode(id_token, await self._keys(), algorithms=ALGORITHMS)

    async def _keys(self) -> KeySet:
        url = (await self._metadata())["jwks_uri"]
        return KeySet.import_key_set(cast(Any, await self._once("jwks_uri", url)))

    async def _metadata(self) -> dict[str, Any]:
        if not _is_safe(self.issuer):
            raise ProviderFailed(f"SLATIMER_OIDC_ISSUER: {self.issuer} is not https")
        found = await self._once("discovery", get_well_known_url(self.issuer, external=True))
        if found.get("issuer") != self.issuer:
            self._cached.pop("discovery", None)
            raise ProviderFailed(f"the discovery document of {self.issuer} names another issuer")
        for name in _ENDPOINTS:
            if not isinstance(found.get(name), str) or not _is_safe(found[name]):
                raise ProviderFailed(f"the discovery document of {self.issuer} has no usable {name}")
        return found

    async def _once(self, name: str, url: str) -> dict[str, Any]:
        entry = self._cached.get(name)
        if entry is None or monotonic() - entry[0] >= self._ttl:
            entry = self._cached[name] = (monotonic(), await self._fetch("GET", url))
        return entry[1]

    async def _fetch(self, method: str, url: str, **given: Any) -> dict[str, Any]:
        """A JSON object of the provider. Raises ProviderFailed."""
        seconds = self._settings.oidc_timeout.total_seconds()
        try:
            async with (
                asyncio.timeout(seconds),
                httpx2.AsyncClient(timeout=seconds) as client,
                client.stream(method, url, **given) as response,
            ):
                body, status = await self._read(response), response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise ProviderFailed(f"{_host(url)} does not answer: {type(error).__name__}") from error
        return _object(body, status, _host(url))

    async def _read(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > self._settings.oidc_max_answer_size:
                raise ProviderFailed("an answer of the provider is longer than SLATIMER_OIDC_MAX_ANSWER_SIZE")
        return bytes(body)


def _object(body: bytes, status: int, host: str) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProviderFailed(f"{host} answers {status} without JSON") from error
    if not isinstance(found, dict):
        raise ProviderFailed(f"{host} answers {status} without a JSON object")
    values = cast("dict[str, Any]", found)
    if "error" in values:
        raise ProviderRefused(f"the provider answers: {str(values['error'])[:_NAMED]}")
    if not httpx2.codes.is_success(status):
        raise ProviderFailed(f"{host} answers {status}")
    return values


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _is_safe(url: str) -> bool:
    """Whether an address is encrypted, or of this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
