"""Desks, calendars, agreements and deadlines."""
