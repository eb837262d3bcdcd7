"""Rows of principals: API keys, their roles per desk, and sessions."""
