"""Settings of exports and imports: memory, checkpoints, lines too long, and exports that are downloaded."""

from datetime import timedelta

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
    transfer_downloads_max: int = Field(
        default=4,
        ge=0,
        description="Exports that are downloaded from the pages of one web process at a time, one of each desk. Each is "
        "a process of low priority that reads the whole desk; 0: none is offered.",
    )
    transfer_download_max_size: int = Field(
        default=4_000_000_000,
        ge=1_000_000,
        description="Size in bytes of the files of an export that is downloaded. They are in the folder for temporary "
        "files (`TMPDIR`) until they are sent. A larger desk is exported by the command.",
    )
    transfer_download_timeout: timedelta = Field(
        default=timedelta(minutes=10),
        gt=timedelta(0),
        description="Time in which an export that is downloaded is written, before its first byte is sent, and then in "
        "which it must be received. It is one transaction. 1,000,000 events take some minutes.",
    )
