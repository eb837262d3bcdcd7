"""Settings: how one signs in, one's sessions and language; for administrators people, API keys and the audit log."""
