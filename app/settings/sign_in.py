"""Settings of signing in to the pages."""

from pydantic import Field

from app.settings.group import SettingsGroup


class SignInSettings(SettingsGroup):
    """Sign-in"""

    guest_sign_in: bool = Field(
        default=False,
        description="The pages sign in every visitor with read and push access. For the demonstration only.",
    )
