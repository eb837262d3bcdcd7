"""Settings of the service: environment variables with the prefix SLATIMER_, in one module for each group.

No other module contains a limit or a default that an operator may want to change. `Settings` inherits every group, so
a setting of any group is an attribute of it. Durations are written in ISO 8601 (PT1M30S) or as HH:MM:SS (00:01:30),
lists with commas. A renamed setting is read under its former name for one release (`renamed`).
"""

from app.settings.faults import setting_faults
from app.settings.groups import GROUPS, Settings
from app.settings.renamed import RENAMED, environment_warnings

__all__ = ["GROUPS", "RENAMED", "Settings", "environment_warnings", "setting_faults"]
