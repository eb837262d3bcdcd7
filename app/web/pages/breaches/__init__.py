"""The room of the page `breaches`: what was broken, and who has taken it on."""
