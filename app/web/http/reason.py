"""The machine-readable reason that stands beside a text in an answer, under the text's key with `_detail`."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field


class ReasonDetail(BaseModel):
    """A reason as a code, with what it refers to."""

    code: str = Field(description="never renamed; new ones may come", examples=["event"])
    ref: str | int | None = Field(description="an event id, a version number or a status", examples=["e-17"])
    params: dict[str, Any] = Field(description="what the text needs besides")


DETAIL: Final = "the reason as a code; absent or null where only the text was stored"
Detail = Annotated[ReasonDetail | None, Field(None, description=DETAIL)]
"""The field beside a text."""
