"""Texts of the reasons of credits, in English: how an amount is found, and why a credit is in its state."""

from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final, cast

from app.sla.reason import Reason, ReasonCode

_BASES: Final = {
    "monthly_fee": "the monthly fee",
    "annual_fee": "the annual fee",
    "fee": "the fee",
}
_UPTIME_DECIMALS: Final = 4
_PERCENT: Final = 100
_SHARE_DECIMALS: Final = 6
"""Of a share whose per cent have no end, as 1/24."""


def percent(share: Fraction, decimals: int) -> str:
    """A share in per cent, rounded down to so many decimals: what is broken never reads as kept."""
    scaled = share * _PERCENT * 10**decimals // 1
    whole, rest = divmod(int(scaled), 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def share_text(share: Fraction) -> str:
    """A share in per cent, exact where it has an end: "49.5 %", "4.166666… %"."""
    text = percent(share, _SHARE_DECIMALS)
    exact = Fraction(text) == share * _PERCENT
    return f"{text.rstrip('0').rstrip('.') if exact else text + '…'} %"


def length_text(seconds: Fraction) -> str:
    """A length: "2 h 30 min", "21 min 36 s"."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    whole = int(rest)
    shown = str(whole) if whole == rest else f"{float(rest):.6f}".rstrip("0")
    parts = [(str(hours), "h"), (str(minutes), "min"), (shown, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number != "0") or "0 s"


def time_text(written: str) -> str:
    """An instant of ISO 8601 as a person reads it, with its offset: "2026-03-06 15:30:00+01:00"."""
    return datetime.fromisoformat(written).isoformat(" ", "seconds")


def _uptime(reason: Reason, params: Mapping[str, object]) -> str:
    uptime = percent(Fraction(str(params["uptime"])), _UPTIME_DECIMALS)
    down, total = (length_text(Fraction(str(params[key]))) for key in ("downtime_seconds", "total_seconds"))
    return (
        f"the uptime ({reason.ref}) was {uptime} % in {params['period']}, with {down} of downtime in {total}; "
        f"the target is {params['target']}"
    )


def _missed(reason: Reason, params: Mapping[str, object]) -> str:
    missed = f"was missed at {time_text(str(params['at']))}"
    listed = params.get("tickets")
    tickets = [str(each) for each in cast("list[object]", listed)] if isinstance(listed, list) else []
    if params["ticket"] is None:
        reported = f", reported by {', '.join(tickets)}" if tickets else ""
        began = time_text(str(params["from"]))
        return f"the commitment {reason.ref} {missed}, in the outage that began at {began}{reported}"
    also = [each for each in tickets if each != params["ticket"]]
    others = f"; {', '.join(also)} reported the same interruption" if also else ""
    return f"the commitment {reason.ref} of ticket {params['ticket']} {missed}{others}"


def _units(_: Reason, params: Mapping[str, object]) -> str:
    units, per = Fraction(str(params["units"])), length_text(Fraction(str(params["per_seconds"])))
    match params["rounding"]:
        case "down" if units == 0:
            return f"the downtime has no whole unit of {per}"
        case "down":
            return f"{units} whole {'unit' if units == 1 else 'units'} of {per}; the rest does not count"
        case "up":
            return f"{units} {'unit' if units == 1 else 'units'} of {per} begun"
        case _:
            return f"{share_text(units).removesuffix(' %')} % of a unit of {per}"


def _interruption(_: Reason, params: Mapping[str, object]) -> str:
    length, paid = (length_text(Fraction(str(params[key]))) for key in ("seconds", "paid_seconds"))
    return f"the interruption of {length} is its part of the {paid} that the fee pays for"


def _share(_: Reason, params: Mapping[str, object]) -> str:
    return f"{share_text(Fraction(str(params['share'])))} of {_BASES[str(params['base'])]}"


def _capped(_: Reason, params: Mapping[str, object]) -> str:
    return f"at most {params['cap']} of {_BASES[str(params['base'])]}"


def _decided(_: Reason, params: Mapping[str, object]) -> str:
    by = f" by {params['author']}" if params.get("author") else ""
    why = f": {params['reason']}" if params.get("reason") else ""
    return f"{params['state']}{by}{why}"


def _claimed(reason: Reason, params: Mapping[str, object]) -> str:
    """By the ticket, the person who entered it, or the event: what a reader of the statement can look up."""
    ticket = params.get("ticket")
    by = f"ticket {ticket}" if ticket else params.get("author") or reason.ref
    why = f": {params['reason']}" if params.get("reason") else ""
    return f"claimed by {by}{why}"


CREDIT_TEXTS: Final[Mapping[ReasonCode, Callable[[Reason, Mapping[str, object]], str]]] = {
    ReasonCode.CREDIT_UPTIME: _uptime,
    ReasonCode.CREDIT_MISSED: _missed,
    ReasonCode.CREDIT_UNITS: _units,
    ReasonCode.CREDIT_BAND: lambda _, params: (
        f"the band from {params['from']} up to, but without, {params['below']}"
    ),
    ReasonCode.CREDIT_NO_BAND: lambda _, __: "no band of the agreement has this uptime",
    ReasonCode.CREDIT_INTERRUPTION: _interruption,
    ReasonCode.CREDIT_SHARE: _share,
    ReasonCode.CREDIT_CAPPED: _capped,
    ReasonCode.CREDIT_NOT_IN_TEXT: lambda _, __: (
        "a credit is owed, and the agreement's text does not contain its amount"
    ),
    ReasonCode.CREDIT_NO_FEE: lambda reason, _: (
        f"no fee is known: enter the fee of contract {reason.ref} for this month"
    ),
    ReasonCode.CREDIT_NO_CURRENCY: lambda reason, _: (
        f"no currency is known: enter that of contract {reason.ref}, or `currency` in the agreement file"
    ),
    ReasonCode.CREDIT_CLAIMED: _claimed,
    ReasonCode.CREDIT_DECIDED: _decided,
    ReasonCode.CREDIT_LAPSED: lambda _, __: "no claim was filed in time",
    ReasonCode.CREDIT_WITHDRAWN: lambda _, __: (
        "its cause was retracted after it had been recorded: a person decides whether it stays"
    ),
}
"""The text of each reason, from it and its params."""
