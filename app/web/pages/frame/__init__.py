"""What all pages have in common: the frame around them, their reader, their words, and how they are rendered."""
