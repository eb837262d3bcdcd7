"""Putting calendars and agreements into force, and previewing what that would change."""
