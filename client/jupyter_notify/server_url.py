"""Derive a server's base URL from a URL that a user copied from the browser's address bar."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from .errors import BadUsage

LOOPBACK = ("127.0.0.1", "::1", "localhost")

#: The pages that follow the base URL in the address bar.
PAGES = ("lab", "tree", "notebooks", "edit", "doc", "consoles", "terminals", "view", "files")
#: The segments that may follow the page `lab`. Before any other, `lab` is part of the base URL.
BELOW_LAB = ("tree", "workspaces", "doc")
#: The characters of a path that are not percent-encoded.
SAFE = "-._~!$&'()*+,;=:@"

#: A URL's scheme, host, port and path in normalized form.
Place = tuple[str, str, int, str]


def candidates(url: str, token_advice: str) -> list[str]:
    """Return the base URLs that a URL may mean, the most likely one first.

    A base URL may contain the name of a page: ``http://host/lab/team/lab`` means
    ``http://host/lab/team/``. Longer base URLs come first.

    Parameters
    ----------
    url
        The URL that the user gave.
    token_advice
        Where to put a token instead of into the URL, where other users of the machine could
        read it; ends the sentence "put the token …".

    Raises
    ------
    BadUsage
        If it is not the URL of a server.
    """
    shown = url.split("?")[0]
    if any(ord(c) < 32 or ord(c) == 127 for c in url):
        raise BadUsage("The server's URL must not hold control characters.")
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise BadUsage(f"{shown!r} is not a valid URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUsage("The server's URL must begin with http:// or https:// and name a host.")
    if parts.username is not None or "token=" in parts.query or "token=" in parts.fragment:
        raise BadUsage(
            f"Other users can read a token that is part of a URL; put the token {token_advice}."
        )
    segments = [part for part in parts.path.split("/") if part]
    lengths = [n for n in range(len(segments)) if _is_page(segments, n)]
    # What follows `lab/tree` is a path to a file, whose folders may have the name of a page.
    ends = (n for n in lengths if segments[n] == "lab" and len(segments) > n + 1)
    end = next(ends, len(segments))
    lengths.sort(key=lambda n: (n > end, -n))
    # A URL without a page is the base URL itself.
    lengths = lengths or [len(segments)]
    origin = f"{parts.scheme}://{parts.netloc}"
    return [origin + quoted("/" + "".join(f"{one}/" for one in segments[:n])) for n in lengths]


def _is_page(segments: list[str], n: int) -> bool:
    """Whether a page may start at the n-th segment, and the base URL end before it."""
    page, below = segments[n], segments[n + 1 : n + 2]
    if page not in PAGES:
        return False
    if page == "lab":
        return not below or below[0] in BELOW_LAB
    # In `lab/tree/…` and `doc/tree/…`, `tree` is part of the page before it.
    return not (page == "tree" and n and segments[n - 1] in ("lab", "doc"))


def quoted(path: str) -> str:
    """Return a URL's path percent-encoded; parts that already are stay as they are."""
    return "/".join(quote(unquote(part), safe=SAFE) for part in path.split("/"))


def place(url: str) -> Place:
    """Return a URL in normalized form, for comparison; the loopback addresses are equal."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "127.0.0.1" if host in LOOPBACK else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, host, port, unquote(parts.path.rstrip("/") + "/")


def bracketed(host: str) -> str:
    """Return a host as it is written in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
