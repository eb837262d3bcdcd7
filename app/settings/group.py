"""`SettingsGroup`: base class of the groups of settings."""

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.renamed import FormerNames


class SettingsGroup(BaseSettings):
    """Settings read from the environment. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="SLATIMER_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a URL may hold a password
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no such file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor this one
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the environment under former names."""
        return (init_settings, env_settings, FormerNames(settings_cls))
