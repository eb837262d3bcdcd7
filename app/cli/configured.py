"""The settings of a command, read from the environment. A wrong one is a usage error, reported without a traceback."""

import os
from typing import Any

from pydantic import ValidationError

from app.cli.terminal import misused, remark
from app.settings import Settings, environment_warnings, setting_faults


def read_settings(*, logged: bool = False, **given: Any) -> Settings:
    """Read the settings, and print warnings about former and unknown names. `given` wins over the environment.

    `logged`: the process logs these warnings itself, so they are printed only beside a fault.
    """
    try:
        settings = Settings(**given)
    except ValidationError as error:
        _warn()
        misused("\nslatimer: ".join(setting_faults(error, os.environ, Settings.model_fields)))
    if not logged:
        _warn()
    return settings


def _warn() -> None:
    for warning in environment_warnings(os.environ, Settings.model_fields):
        remark(warning)
