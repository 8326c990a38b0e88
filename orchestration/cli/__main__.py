"""``python -m orchestration.cli``."""

from orchestration.cli import app

if __name__ == "__main__":
    app()
