"""The names of sources, as they are compared."""

from __future__ import annotations


def single_spaced(source: str) -> str:
    """Return a source's name as a page shows it, which hides blanks around and beside others.

    So two names that look alike are the same source, and a blank makes none that poses as another.
    """
    return " ".join(source.split())
