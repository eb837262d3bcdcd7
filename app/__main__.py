"""`python -m app` is the same command as `slatimer`."""

from app.cli import main

if __name__ == "__main__":
    main()
