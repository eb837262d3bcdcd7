"""Rows of who may call: API keys and sessions."""
