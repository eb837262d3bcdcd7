"""Faults of contracts as places of a problem document."""

import re
from typing import Final

from app.flow.agreement.contracts import FaultyContracts
from app.web.http.problems import Place, Problem, invalid, pointer

_STEP: Final = re.compile(r"[^.\[\]]+")


def invalid_contracts(error: FaultyContracts) -> Problem:
    """The problem of contracts that were refused: each fault by its JSON pointer."""
    places: list[Place] = []
    for above, fault in error.faults:
        named = pointer(_steps(fault.place))
        places.append(Place("body", above + named, f"{fault.wrong}. {fault.right}"))
    return invalid(places)


def _steps(place: str) -> list[str]:
    return _STEP.findall(place)


def invalid_rows(error: FaultyContracts) -> Problem:
    """The problem of an export that was refused: each fault by its line and key."""
    return invalid(
        Place("body", f"{place}: {fault.place}", f"{fault.wrong}. {fault.right}")
        for place, fault in error.faults
    )
