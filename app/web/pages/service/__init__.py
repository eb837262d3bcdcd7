"""The room of the page `service`."""
