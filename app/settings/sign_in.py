"""Settings of the pages and of signing in to them."""

from datetime import timedelta

from pydantic import Field

from app.settings.group import SettingsGroup
from app.settings.listed import Listed


class SignInSettings(SettingsGroup):
    """Sign-in"""

    allowed_hosts: Listed[str] = Field(
        default=(),
        description="Host names under which the service answers, with commas; 421 for others, apart from health checks "
        "and metrics. Empty: under any, but guests are signed in only under `localhost` and addresses, since another "
        "site's name can be made to lead here.",
    )
    refused_sign_in_addresses: int = Field(
        default=100,
        ge=1,
        description="Addresses of refused sign-ins that the audit log lists for each minute and process. The rest of "
        "a flood is counted together.",
    )
    refused_sign_in_interval: timedelta = Field(
        default=timedelta(seconds=1),
        description="Minimum interval between two writes of refused sign-ins, so that a flood is no load on the "
        "database.",
    )
    guest_sign_in: bool = Field(
        default=False,
        description="The pages sign in every visitor with read and push access. For the demonstration only.",
    )
    page_language: str = Field(
        default="en",
        pattern="^(en|fr|nl|it|vi)$",
        description="Language of the pages for a reader who has chosen none and whose browser asks for none of en, "
        "fr, nl, it, vi.",
    )
