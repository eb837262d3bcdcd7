"""Words, dates and durations of messages to people, in the languages of the gettext catalogues beside this file."""
