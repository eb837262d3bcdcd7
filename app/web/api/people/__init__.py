"""People: who signs in, how, with which roles; their sessions and API keys."""
