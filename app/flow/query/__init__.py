"""The read path: tickets, lists, queues, desks, and how answers are serialized."""
