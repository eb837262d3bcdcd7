"""Settings of embedded tickets: clocks inside other systems' pages."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup


class EmbedSettings(SettingsGroup):
    """Embedding"""

    embed_token_lifetime: timedelta = Field(
        default=timedelta(hours=12),
        gt=timedelta(0),
        description="Time for which a token of `POST /v1/embed-tokens` is valid, unless another is asked for: a working "
        "day.",
    )
    embed_token_max_lifetime: timedelta = Field(
        default=timedelta(days=31),
        gt=timedelta(0),
        description="Longest lifetime of a token, also of one that a ticket system has computed. An address that was "
        "copied or mailed ends with it.",
    )
    embed_frame_ancestors_max: int = Field(
        default=20,
        ge=1,
        description="Origins whose pages may embed the tickets of one desk. They are sent with each page; a desk has "
        "few systems.",
    )
