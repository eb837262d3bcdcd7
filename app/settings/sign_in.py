"""Settings of signing in to the pages."""

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
    guest_sign_in: bool = Field(
        default=False,
        description="The pages sign in every visitor with read and push access. For the demonstration only.",
    )
