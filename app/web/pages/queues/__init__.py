"""The room of the page `queues`: who is next, who has moved and why, and when each can expect a reply."""
