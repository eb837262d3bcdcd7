"""The limits of a desk's files, as the settings have them."""

from dataclasses import fields

from app.settings import Settings
from app.sla.limits import Limits


def limits_of(settings: Settings) -> Limits:
    """The limits of these settings. Each is named as its setting is."""
    return Limits(**{field.name: getattr(settings, field.name) for field in fields(Limits)})
