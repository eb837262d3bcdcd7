"""Rows of what desks have promised: the versions of calendars and agreements."""
