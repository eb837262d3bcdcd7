"""Settings of the identity provider: sign-in by OpenID Connect."""

from datetime import timedelta

from pydantic import Field, SecretStr, model_validator

from app.settings.group import SettingsGroup
from app.settings.listed import Listed


class ProviderSettings(SettingsGroup):
    """Identity provider"""

    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of the OpenID Connect provider, `https://...`: its discovery document is below it. None: no "
        "sign-in at a provider.",
    )
    oidc_client_id: str | None = Field(
        default=None, description="Id under which the provider knows the service."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret of that client. None: a public client, which PKCE protects."
    )
    oidc_scopes: Listed[str] = Field(
        default=("openid", "profile"),
        description="Scopes that are requested, with commas. Some providers give groups by a scope of their own.",
    )
    oidc_name_claim: str = Field(
        default="preferred_username",
        description="Claim with the name of a person who signs in for the first time.",
    )
    oidc_groups_claim: str = Field(
        default="groups", description="Claim with the groups of a person, a list of texts."
    )
    oidc_roles: Listed[str] = Field(
        default=(),
        description="Roles by group, as `GROUP=ROLE@DESK` with commas; `*` is every desk. They replace a person's roles "
        "at each sign-in. None: administrators give the roles.",
    )
    oidc_timeout: timedelta = Field(
        default=timedelta(seconds=10), gt=timedelta(0), description="Time for one answer of the provider."
    )
    oidc_max_answer_size: int = Field(
        default=256_000,
        ge=1024,
        description="Maximum size of one answer of the provider in bytes. The largest known key sets have 20 kB.",
    )
    oidc_metadata_ttl: timedelta = Field(
        default=timedelta(hours=1),
        gt=timedelta(0),
        description="Time for which discovery document and keys are cached. An unknown key is looked up at once.",
    )

    @model_validator(mode="after")
    def _check_client(self) -> "ProviderSettings":
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError(
                "oidc_issuer is set: set oidc_client_id too, the id that the provider gave the service"
            )
        return self
