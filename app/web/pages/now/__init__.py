"""The room of the page `now`: what breaks next, and who has it."""
