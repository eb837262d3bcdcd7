"""Rows of embedding: how a desk's tickets are shown inside other systems' pages."""

from typing import Any, ClassVar

from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class EmbeddingRow(SQLModel, table=True):
    """A desk whose tickets may be embedded: the secrets that sign its tokens, newest first, and who may frame them."""

    __tablename__: ClassVar[Any] = "embedding"

    desk: str = text_column(primary_key=True)
    secrets: str = text_column()
    frame_ancestors: str = text_column()
    """A JSON list of origins."""
    created_at: int = instant_column()
    changed_at: int = instant_column()


embedding = table_of(EmbeddingRow)
