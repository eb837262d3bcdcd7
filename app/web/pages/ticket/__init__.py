"""The room of the page `ticket`."""
