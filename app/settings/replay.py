"""Settings of `slatimer replay`: how large a log may be, and how much memory reading it takes."""

from pydantic import Field

from app.settings.group import SettingsGroup


class ReplaySettings(SettingsGroup):
    """Replay"""

    replay_max_size: int = Field(
        default=20_000_000_000,
        ge=1024,
        description="Maximum size of a log in bytes, unpacked. A small compressed file can expand without end.",
    )
    replay_max_row_length: int = Field(
        default=1_000_000,
        ge=1024,
        description="Maximum length of one row of a log in characters. It is held in memory.",
    )
    replay_sort_memory: int = Field(
        default=100_000_000,
        ge=1024,
        description="Memory for sorting a log by ticket, in bytes of its rows. A larger log is sorted in "
        "temporary files.",
    )
    replay_batch_size: int = Field(
        default=500,
        ge=1,
        description="Events in one transaction of a replay, at least all events of one ticket. With more of "
        "them a commit gets no cheaper.",
    )
    replay_listed_refusals: int = Field(
        default=50,
        ge=1,
        description="Refused rows that a replay lists and keeps in memory. `--refusals FILE` has all of them.",
    )
