"""Rows of what goes out: subscriptions, the outbox and its deliveries."""
