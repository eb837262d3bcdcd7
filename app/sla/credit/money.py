"""Money: rounding of an exact amount to the minor unit of its currency, once, half up (ISO 4217)."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Final

_WITHOUT_MINOR_UNIT: Final = frozenset(
    {
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    }
)
_OF_A_THOUSAND: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_DECIMALS: Final = 2
_DIGITS: Final = 60
"""Of the arithmetic. An amount has fewer, so nothing is rounded before the end."""


def decimals_of(currency: str) -> int:
    """The decimals of a currency's minor unit: of VND none."""
    code = currency.upper()
    return 0 if code in _WITHOUT_MINOR_UNIT else 3 if code in _OF_A_THOUSAND else _DECIMALS


def rounded(amount: Fraction, currency: str) -> Decimal:
    """An exact amount that is not negative, in whole minor units, half up."""
    places = decimals_of(currency)
    units = (2 * amount * 10**places + 1) // 2
    with localcontext(prec=_DIGITS):
        return Decimal(units).scaleb(-places)


def written(amount: Decimal, currency: str) -> str:
    """An amount as text, with exactly the decimals of its currency."""
    with localcontext(prec=_DIGITS, rounding=ROUND_HALF_UP):
        return f"{amount.quantize(Decimal(1).scaleb(-decimals_of(currency))):f}"


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with localcontext(prec=_DIGITS):
        return sum(amounts, Decimal(0))
