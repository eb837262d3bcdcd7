"""Data of the facts that contracts are judged by: outages, maintenance, exclusions, calls, claims, credits.

Names of services and resources are compared without case.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.intake.data_fields import Data, Name, NotEmpty, Period, Reference, Resource, Text, TimeSpan


class Call(Data):
    """A telephone call, its line, and how long the caller waited."""

    line: Text = Field(
        default="", description="the line that was called; without it: the line without a name"
    )
    waited_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None,
        description="real seconds; without it, and above a day, the time from the offer to the answer counts",
    )
    contract: Text = Field(default=None, description="whose call it is, for a line that is charged")
    customer: Text = Field(default=None, description="the same, where no contract is named")


class Outage(Data):
    """A service, or one resource of it, is down, back, or verified to be."""

    service: Text = None
    reference: Reference = Field(
        default=None,
        description="which outage; without it there is one at a time for each service and resource",
    )
    resource: Resource = None
    cause: Text = Field(
        default=None,
        description="network, hardware, third_party, force_majeure, or any word that the agreement lists",
    )


class MaintenanceAnnounced(TimeSpan):
    """Work on a service, announced ahead: `time` is when it was announced, `from` and `to` are its window."""

    service: Text = None
    reference: Reference = Field(
        default=None, description="which maintenance; a later announcement of it replaces the window"
    )
    resource: Resource = None
    cause: Text = None
    emergency: bool | None = Field(default=None, description="announced at short notice")


class ExclusionGranted(TimeSpan):
    """A person excludes a span from some clocks or availabilities, or from all. The explanation shows who and why."""

    commitments: list[Name] | None = Field(
        default=None, description="ids of commitments, or of availabilities for a service; without it: all"
    )
    resource: Resource = None
    author: NotEmpty
    reason: NotEmpty


class ClaimedPromise(BaseModel):
    """What a claim is about: a commitment or an availability, and perhaps a ticket or a service, and a period.

    What it leaves out is not narrowed down.
    """

    model_config = ConfigDict(strict=True, extra="allow")

    commitment: Name | None = Field(default=None, description="the id of a commitment of the agreement")
    availability: Name | None = Field(default=None, description="the id of an availability of the agreement")
    ticket: Name | None = None
    service: Name | None = Field(default=None, description="compared without case")
    period: Period | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.commitment is None) == (self.availability is None):
            raise ValueError("must name a commitment or an availability, and not both")
        if self.ticket is not None and self.service is not None:
            raise ValueError("must not name both a ticket and a service")
        return self


class Claim(Data):
    """A claim, what it is about, and whether it was accepted. `accepted` decides it."""

    claim: Text = None
    about: ClaimedPromise | None = Field(
        default=None, description="without it: what the contract could claim at that instant"
    )
    accepted: bool | None = None


class CreditDecision(Data):
    """A credit of a contract is requested, granted or refused by a person."""

    credit: Name = Field(description="the id of the line of the statement")
    author: NotEmpty
    reason: NotEmpty
