"""What holds personal data is its owner's alone to read, as far as this project makes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make a folder; one that is there stays as its owner has it. Its parents are made as usual:
    the published copy, which others read, may lie beside it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def private_when_made(path: str | None) -> Iterator[None]:
    """A database's file that is made within is private, and so is a folder that it needs. None:
    of an engine whose databases are no files."""
    if path is None or path == ":memory:":
        yield
        return
    file = Path(path)
    was_there = file.exists()
    make_private_folder(file.parent)
    yield
    if not was_there and file.exists():  # a path may also name a service's database
        file.chmod(0o600)
