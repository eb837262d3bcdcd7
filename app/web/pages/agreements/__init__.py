"""Agreements: a desk's commitments in words with the notes of its file, and the editor of the file."""
