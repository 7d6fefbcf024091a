"""Derive a server's base URL from a URL that a user copied from the browser's address bar."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, parse_qsl, quote, unquote, unquote_to_bytes, urlsplit

from .decoding import encodable
from .errors import BadUsage

LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: The addresses that lead to this machine as well if one connects to them.
ANY = ("0.0.0.0", "::")

#: The pages that follow the base URL in the address bar: JupyterLab's and Notebook's, the classic
#: notebook's, RetroLab's and Voilà's beside them, and those of the server itself.
PAGES = (
    *("lab", "tree", "notebooks", "edit", "doc", "consoles", "terminals", "view", "files"),
    *("nbclassic", "retro", "voila", "login", "logout", "api"),
    *("jupyterlab-notify", "jupyterlab-notifications-extension"),
)
#: The segments that may follow a page. Before any other segment, the page's name is part of the
#: base URL.
BELOW = {
    "lab": ("tree", "workspaces", "doc"),
    "nbclassic": ("tree", "notebooks", "edit", "terminals", "files", "view"),
    "retro": ("tree", "notebooks", "edit", "consoles", "terminals"),
    "voila": ("render", "tree", "files", "static"),
}
#: The pages below which another page's name is part of a path, or of the page itself.
WHOLE = {"lab": ("tree", "workspaces", "doc"), "doc": ("tree", "workspaces")}
#: What follows `/hub/` at a hub, which is not the user's server.
HUB_PAGES = (
    *("home", "spawn", "spawn-pending", "stop", "user", "user-redirect", "token", "admin"),
    *("login", "logout", "signup", "authorize", "change-password", "oauth_login"),
    *("oauth_callback", "shared", "accept-share", "groups", "api", "health", "metrics", "static"),
    *("error", "logo", "security", "hub"),
)
#: The characters of a path that are not percent-encoded.
SAFE = "-._~!$&'()*+,;=:@"
#: The letters of a host that a browser keeps, but Python's encoding of hosts replaces or leaves
#: out: it would find another machine.
REPLACED = "\u00df\u03c2\u200c\u200d"
#: The characters that cannot be in a host's name.
NO_HOST = ' \\%<>^|"{}`'

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
        If the URL is not that of a server.
    """
    parts = _split(url, token_advice)
    # Quote each segment anew: `%6Cab` and `lab` are the same for a browser.
    segments = _without_dots([quoted(part) for part in re.split(r"[/\\]", parts.path) if part])
    lengths = [n for n in range(len(segments)) if _is_page(segments, n)]
    if _is_hubs(segments[: min(lengths, default=len(segments)) + 1]):
        raise BadUsage(
            "This is an address of the hub, not of a server; give the URL that the address bar "
            "shows once the server is open."
        )
    # After `lab/tree` comes the path of a file, whose folders may have the name of a page.
    ends = (n for n in lengths if segments[n + 1 : n + 2] and _is_whole(segments, n))
    end = next(ends, len(segments))
    lengths.sort(key=lambda n: (n > end, -n))
    # A URL without a page is the base URL itself; one that ends with a page's name may be.
    lengths.append(len(segments))
    origin = f"{parts.scheme}://{parts.netloc}"
    bases = (origin + quoted("/" + "".join(f"{one}/" for one in segments[:n])) for n in lengths)
    return list(dict.fromkeys(bases))


def _split(url: str, token_advice: str) -> SplitResult:
    """Return the parts of a server's URL; raise `BadUsage` if it is invalid or holds a token."""
    # Without what may be a token.
    shown = re.sub(r"//[^/]*@", "//", re.split("[?#]", url)[0])
    if any(ord(c) < 32 or ord(c) == 127 for c in url):
        raise BadUsage("The server's URL must not hold control characters.")
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise BadUsage(f"{shown!r} is not a valid URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUsage("The server's URL must begin with http:// or https:// and name a host.")
    has_token = any("token" in _names(text) for text in (parts.query, parts.fragment))
    if parts.username is not None or has_token:
        raise BadUsage(
            f"Other users can read a token that is part of a URL; put the token {token_advice}."
        )
    if parts.port == 0 or not is_host(parts):
        raise BadUsage(f"{shown!r} is not a valid URL.")
    if any(c in REPLACED for c in parts.netloc):
        raise BadUsage(
            f"The host of {shown!r} cannot be looked up as it is; write its ASCII form (xn--…)."
        )
    return parts


def is_host(parts: SplitResult) -> bool:
    """Return whether the host of a URL, whose port is a valid one, can be that of a machine."""
    host = parts.hostname or ""
    if "[" in parts.netloc:
        # Nothing but a port may follow the address; it may name an interface after a percent sign.
        whole = re.search(r"\[([^\]]*)\](:\d*)?$", parts.netloc)
        address, _, interface = host.partition("%")
        try:
            return bool(whole and ipaddress.IPv6Address(address) and "/" not in interface)
        except ValueError:
            return False
    try:
        # An empty or a very long label cannot be encoded.
        encoded = host.removesuffix(".").encode("idna")
    except UnicodeError:
        return False
    return bool(encoded) and not any(c in NO_HOST for c in host)


def _names(query: str, depth: int = 4) -> set[str]:
    """Return the names of a query's parameters, and of those in URLs that the query holds."""
    pairs = parse_qsl(query.replace(";", "&").lstrip("/?#!"), keep_blank_values=True)
    names = {name.lower() for name, _ in pairs}
    for _, value in pairs:
        _, question, rest = value.partition("?")
        if question and depth:
            names |= _names(rest, depth - 1)
    return names


def _is_hubs(segments: list[str]) -> bool:
    """Return whether a path, up to its first page, is that of a hub, or of one of its pages."""
    if "hub" not in segments:
        return False
    n = segments.index("hub")
    # Users, their servers and services may have the name `hub` too.
    if "user" in segments[:n] or segments[:n][-1:] == ["services"]:
        return False
    # A server without a hub may have the base URL `/hub/`, and is known by the page that follows.
    return segments[n + 1 : n + 2] == [] or segments[n + 1] in HUB_PAGES


def _without_dots(segments: list[str]) -> list[str]:
    """Return a path as a browser would ask for it: without `.` and `..`."""
    kept: list[str] = []
    for segment in segments:
        if unquote(segment) == "..":
            del kept[-1:]
        elif unquote(segment) != ".":
            kept.append(segment)
    return kept


def _is_page(segments: list[str], n: int) -> bool:
    """Return whether a page may start at the n-th segment, and the base URL end before it."""
    page, below = segments[n], segments[n + 1 : n + 2]
    if page not in PAGES or _is_user_name(segments, n):
        return False
    if page in BELOW:
        return not below or below[0] in BELOW[page]
    # In `lab/tree/…` and `doc/tree/…`, `tree` is part of the page before it.
    return not (n and _is_whole(segments, n - 1))


def _is_whole(segments: list[str], n: int) -> bool:
    """Return whether a page starts at the n-th segment and includes the next segment."""
    page, below = segments[n], segments[n + 1 : n + 2]
    if not below or _is_user_name(segments, n):
        return False
    return below[0] in WHOLE.get(page, BELOW.get(page, ()))


def _is_user_name(segments: list[str], n: int) -> bool:
    """Tell whether a segment is a user's name, as in a hub's `/user/lab/`, also below a prefix."""
    if n == 0 or segments[n - 1] != "user":
        return False
    # The first `user` is not itself a user's name: in `/user/user/lab` the second one is.
    return "user" not in segments[: n - 1] and not any(one in PAGES for one in segments[: n - 1])


def quoted(path: str) -> str:
    """Return a URL's path percent-encoded; parts that already are stay as they are."""
    return "/".join(quote(unquote_to_bytes(part), safe=SAFE) for part in path.split("/"))


def place(url: str) -> Place:
    """Return a URL in normalized form, for comparison; the loopback addresses are equal."""
    parts = urlsplit(url)
    host = _address((parts.hostname or "").lower().removesuffix("."))
    host = "127.0.0.1" if host in LOOPBACK + ANY else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, host, port, unquote(parts.path.rstrip("/") + "/")


def known_place(url: str) -> Place | None:
    """Return a URL in normalized form as ``place`` does; None for what is no URL of a server."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.port != 0 and is_host(parts)
        return place(url) if known else None
    except ValueError:
        return None


def is_base(path: str) -> bool:
    """Return whether a text is a base URL's path, which leaves the host of a whole URL alone."""
    return (
        path.startswith("/")
        and not any(c in "?#\\" or ord(c) < 32 for c in path)
        and encodable(path) == path
    )


def _address(host: str) -> str:
    """Return an address in its usual form: ``127.1`` is ``127.0.0.1``; any other host as it is."""
    try:
        if ":" in host:
            six = ipaddress.IPv6Address(host)
            return str(six.ipv4_mapped or six)
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return host


def bracketed(host: str) -> str:
    """Return a host as it is written in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host
