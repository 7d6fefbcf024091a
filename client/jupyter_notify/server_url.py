"""A server's base URL, from what a user copied out of a browser's address bar."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from .errors import BadUsage

LOOPBACK = ("127.0.0.1", "::1", "localhost")

#: What follows the base URL in a browser's address bar.
PAGES = ("lab", "tree", "notebooks", "edit", "doc", "consoles", "terminals", "view", "files")
#: What may follow the page `lab`. Anything else is a folder of the base URL that has this name.
BELOW_LAB = ("tree", "workspaces", "doc")
#: What a path may hold as it is; everything else is written as `%20` and the like.
SAFE = "-._~!$&'()*+,;=:@"

#: Scheme, host, port and path, in one form for all the ways to write them.
Place = tuple[str, str, int, str]


def candidates(url: str, where_the_token_goes: str) -> list[str]:
    """Return the base URLs that a URL may mean, the most likely one first.

    A base URL may have a page's name in it: ``http://host/lab/team/lab`` means
    ``http://host/lab/team/``. Of several the longest comes first.

    Parameters
    ----------
    url
        What the user gave.
    where_the_token_goes
        Said if the URL holds a token, which other users of the machine could read.

    Raises
    ------
    BadUsage
        If it is no URL of a server.
    """
    shown = url.split("?")[0]
    if any(ord(c) < 32 or ord(c) == 127 for c in url):
        raise BadUsage("The server's URL must not hold control characters.")
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise BadUsage(f"The URL {shown!r} is none.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUsage("The server's URL must begin with http:// or https:// and name a host.")
    if parts.username is not None or "token=" in parts.query or "token=" in parts.fragment:
        raise BadUsage(
            "A URL with a token in it can be read by other users; put the token "
            f"{where_the_token_goes}."
        )
    segments = [part for part in parts.path.split("/") if part]
    lengths = [n for n in range(len(segments)) if _is_page(segments, n)]
    # What follows `lab/tree` is a path of the user's, whatever its folders are called.
    ends = (n for n in lengths if segments[n] == "lab" and len(segments) > n + 1)
    end = next(ends, len(segments))
    lengths.sort(key=lambda n: (n > end, -n))
    # Without a page in it, it is the base URL itself.
    lengths = lengths or [len(segments)]
    origin = f"{parts.scheme}://{parts.netloc}"
    return [origin + quoted("/" + "".join(f"{one}/" for one in segments[:n])) for n in lengths]


def _is_page(segments: list[str], n: int) -> bool:
    """Whether the segments from the n-th on may be a page's, and those before it a base URL's."""
    page, below = segments[n], segments[n + 1 : n + 2]
    if page not in PAGES:
        return False
    if page == "lab":
        return not below or below[0] in BELOW_LAB
    # `lab/tree/…` and `doc/tree/…` are one page each.
    return not (page == "tree" and n and segments[n - 1] in ("lab", "doc"))


def quoted(path: str) -> str:
    """Return a URL's path with everything quoted that must be, and nothing quoted twice."""
    return "/".join(quote(unquote(part), safe=SAFE) for part in path.split("/"))


def place(url: str) -> Place:
    """Return where a URL leads, the names of this machine made one, to be compared."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "127.0.0.1" if host in LOOPBACK else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, host, port, unquote(parts.path.rstrip("/") + "/")


def bracketed(host: str) -> str:
    """Return a host as a URL has it."""
    return f"[{host}]" if ":" in host else host
