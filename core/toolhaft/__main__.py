"""``python -m toolhaft`` is the command ``toolhaft``."""

from toolhaft.cli.main import main

if __name__ == "__main__":
    main()
