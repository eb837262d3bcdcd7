"""Outbound rows: subscriptions, the outbox and its deliveries."""
