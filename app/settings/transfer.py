"""Settings of `slatimer export` and `slatimer import`: memory, checkpoints, and lines too long."""

from pydantic import Field

from app.settings.group import SettingsGroup


class TransferSettings(SettingsGroup):
    """Export and import"""

    transfer_batch_size: int = Field(
        default=1000,
        ge=1,
        description="Rows in memory at a time. With more of them neither reading nor inserting gets faster.",
    )
    transfer_checkpoint_rows: int = Field(
        default=50_000,
        ge=1,
        description="Rows of a file after which an export that is interrupted can go on. Each checkpoint waits for "
        "the disk.",
    )
    transfer_max_line_length: int = Field(
        default=64_000_000,
        ge=1024,
        description="Maximum length in bytes of one line of an export that is imported. It is held in memory.",
    )
