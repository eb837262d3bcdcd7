"""Sign-in: a password, a code after it, a one-time link, and signing out."""
