"""Faults of settings, each as one line that names the environment variable. Values are not printed: a URL may hold a
password."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.settings.renamed import RENAMED, variable


def setting_faults(
    error: ValidationError, environ: Mapping[str, str], known: Mapping[str, FieldInfo]
) -> Iterator[str]:
    """One line for each fault, with the description of the setting. `known` is `Settings.model_fields`."""
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        setting = str(fault["loc"][0]) if fault["loc"] else ""
        reason = fault["msg"].removeprefix("Value error, ").rstrip(".")
        description = (known[setting].description or "") if setting in known else ""
        yield f"{_written(setting, environ)}: {reason}. {description}".rstrip()


def _written(setting: str, environ: Mapping[str, str]) -> str:
    """The variable as it is set, which may be its former name or in other letters."""
    former = [old for old, new in RENAMED.items() if new == setting]
    for candidate in map(variable, (setting, *former)):
        for name, value in environ.items():
            if value and name.upper() == candidate:
                return name
    return variable(setting)
