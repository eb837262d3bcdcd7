"""The room of the page `credits`."""
