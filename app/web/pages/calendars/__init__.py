"""Calendars: when a desk is open, which days are closed and why, what changes next, and the editor of its file."""
