"""Importing: an event log is read, sorted by ticket, and received like a push."""
