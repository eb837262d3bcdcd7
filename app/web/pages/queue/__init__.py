"""The room of the page `queue`."""
