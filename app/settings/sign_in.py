"""Settings of the pages and of signing in: passwords, links, sessions, and what slows guessing down."""

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
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="Address of the service as browsers see it, with the path prefix of a proxy. One-time links, links "
        "in messages and the address for the identity provider begin with it. None: as the request was sent, or host "
        "and port; messages have no link.",
    )
    session_lifetime: timedelta = Field(
        default=timedelta(hours=12),
        gt=timedelta(0),
        description="Time after which a session ends: a working day, so the next day starts with a sign-in.",
    )
    person_sessions_max: int = Field(
        default=20,
        ge=1,
        description="Sessions of one person; a further one ends the oldest. A few browsers and a wall have one each.",
    )
    key_sessions_max: int = Field(
        default=500,
        ge=1,
        description="Sessions of one API key; a further one ends the oldest. An office may use one key for all.",
    )
    desk_keys_max: int = Field(
        default=200,
        ge=1,
        description="API keys with a role on one desk that are made over the network; beyond it, the answer is 409. The "
        "command `slatimer key create` is not limited.",
    )
    people_max: int = Field(
        default=10_000,
        ge=1,
        description="People who may sign in, disabled ones included. An identity provider can add them without an "
        "administrator.",
    )
    saved_views_max: int = Field(
        default=100,
        ge=1,
        description="Saved views of one person, and of one desk. A menu lists them: more cannot be found in it.",
    )
    link_lifetime: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="Time for which a one-time link signs in. It reaches its person by mail or chat within a day.",
    )
    fresh_sign_in: timedelta = Field(
        default=timedelta(minutes=15),
        gt=timedelta(0),
        description="Age of a session up to which who came by a link may set a password without the present one.",
    )
    second_factor_lifetime: timedelta = Field(
        default=timedelta(minutes=5),
        gt=timedelta(0),
        description="Time to enter the code of the second factor after the password.",
    )
    second_factor_tries: int = Field(
        default=5,
        ge=1,
        le=20,
        description="Wrong codes after which the password must be entered again.",
    )
    second_factor_free_attempts: int = Field(
        default=20,
        ge=1,
        description="Wrong codes for a person from all addresses together without a delay. Only who knows the password "
        "can enter one.",
    )
    recovery_codes: int = Field(
        default=10,
        ge=1,
        le=50,
        description="Recovery codes that a person gets with the second factor. Each replaces one code of the app.",
    )
    password_min_length: int = Field(
        default=12,
        ge=8,
        description="Minimum length of a new password in characters. Length is what makes a password slow to guess; no "
        "kind of character is required.",
    )
    password_max_length: int = Field(
        default=200,
        ge=64,
        le=1000,
        description="Maximum length of a password in characters, so that no password costs more to hash than another.",
    )
    password_hash_memory: int = Field(
        default=19_456,
        ge=8,
        description="Memory of one password hash (argon2id) in KiB. With two passes and one lane, what OWASP "
        "recommends.",
    )
    password_hash_passes: int = Field(
        default=2, ge=1, description="Passes of a password hash over its memory. See `password_hash_memory`."
    )
    password_hash_threads: int = Field(
        default=2,
        ge=1,
        description="Passwords that a process hashes at one time, in threads of their own: sign-ins take no more of its "
        "processors and memory.",
    )
    password_hash_queue: int = Field(
        default=32,
        ge=0,
        description="Sign-ins that wait for such a thread; beyond it, the answer is 503. They wait about a second. One "
        "address has half of these places at most.",
    )
    sign_in_free_attempts: int = Field(
        default=5,
        ge=1,
        description="Wrong passwords for a name from one address without a delay: everybody mistypes.",
    )
    sign_in_address_attempts: int = Field(
        default=50,
        ge=1,
        description="Wrong passwords from one address, whatever the names, without a delay: an office has one address.",
    )
    sign_in_first_delay: timedelta = Field(
        default=timedelta(seconds=1),
        gt=timedelta(0),
        description="Delay after the first wrong password above those. Each further one doubles it.",
    )
    sign_in_max_delay: timedelta = Field(
        default=timedelta(minutes=15),
        gt=timedelta(0),
        description="Longest delay, and the time without an attempt after which wrong passwords are forgotten.",
    )
    sign_in_memory: int = Field(
        default=10_000,
        ge=100,
        description="Names and addresses whose wrong passwords are remembered, in the database; the least recent are "
        "forgotten. An entry takes about 100 bytes.",
    )
    page_language: str = Field(
        default="en",
        pattern="^(en|fr|nl|it|vi)$",
        description="Language of the pages for a reader who has chosen none and whose browser asks for none of en, "
        "fr, nl, it, vi.",
    )
