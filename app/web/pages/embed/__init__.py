"""The room of embedded tickets: a ticket's clocks inside another system's page, opened by a token and read only."""
