"""Versions of calendars and agreements as stored."""
