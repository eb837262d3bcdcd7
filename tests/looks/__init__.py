"""Every page of the demo, looked at: in each language, theme and width, for accessibility, overflow and messages."""
