"""``python -m migrator`` and the ``migrator`` console script."""

from migrator.cli import main

if __name__ == "__main__":
    main()
