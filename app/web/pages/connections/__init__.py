"""The room of connections: ticket systems and monitors that send, the inbox, subscriptions, and embedding."""
