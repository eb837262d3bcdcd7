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
