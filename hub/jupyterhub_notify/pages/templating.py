"""Renders the pages, which extend JupyterHub's own `page.html`, or a plain one without a hub.

No inline script reaches a browser: the policy of the pages (`CONTENT_SECURITY_POLICY`) forbids
inline scripts. Those of JupyterHub's template, which our pages do not need, are left out.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
)

from .outcomes import LOOKS, label_of

__all__ = ["CONTENT_SECURITY_POLICY", "HUB_STATIC", "STATIC", "hub_url", "make_environment"]

HERE = Path(__file__).parent
STATIC = HERE / "static"

#: Pictures in a message's body may come from anywhere, everything else only from the service.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data: http: https:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>.*?</script>", re.DOTALL | re.IGNORECASE)
_NO_SCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL | re.IGNORECASE)


def _hub_data() -> Path | None:
    try:
        from jupyterhub._data import DATA_FILES_PATH
    except ImportError:
        return None
    found = Path(DATA_FILES_PATH)
    return found if (found / "templates" / "page.html").exists() else None


_HUB_DATA = _hub_data()

#: JupyterHub's own styles, fonts and scripts, of the same version as its templates.
HUB_STATIC = None if _HUB_DATA is None else _HUB_DATA / "static"


class ScriptlessLoader(FileSystemLoader):
    """Loads templates without their inline scripts."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text."""
        source, filename, uptodate = super().get_source(environment, template)
        source = _NO_SCRIPT.sub("", _INLINE_SCRIPT.sub("", source))
        return source, filename, uptodate


def make_environment(*, site_directories: Sequence[Path] = (), hub: bool = True) -> Environment:
    """Return the environment that renders the pages.

    Parameters
    ----------
    site_directories
        The folders of a site's own templates, as in `JupyterHub.template_paths`: their `page.html`
        comes before JupyterHub's, which they may extend as ``templates/page.html``.
    hub
        Whether the service belongs to a hub; otherwise the plain page is used.

    Returns
    -------
    jinja2.Environment
        The environment; it escapes every value.
    """
    loaders: list[BaseLoader] = [ScriptlessLoader(str(path)) for path in site_directories]
    if hub and _HUB_DATA is not None:
        of_hub = ScriptlessLoader(str(_HUB_DATA / "templates"))
        loaders = [PrefixLoader({"templates": of_hub}), *loaders, of_hub]
    loaders.append(FileSystemLoader(str(HERE / "templates")))
    environment = Environment(
        loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["iso"] = _iso
    # From this time the page learns how far the browser's clock is from the service's.
    environment.globals["present_ms"] = lambda: time.time_ns() // 1_000_000
    environment.globals["outcome_label"] = label_of
    environment.globals["outcomes"] = LOOKS
    return environment


def hub_url(prefix: str) -> str:
    """Return the address of the Hub's own pages, with a slash at the end.

    Parameters
    ----------
    prefix
        The service's prefix, in case the environment does not give the Hub's address.
    """
    root = os.environ.get("JUPYTERHUB_BASE_URL")
    if root is None:
        root = prefix.split("/services/")[0] + "/"
    return f"{os.environ.get('JUPYTERHUB_HOST', '')}{root.rstrip('/')}/hub/"


def _iso(moment: datetime | None) -> str:
    """Return a moment in the form of `<time datetime>`; the browser shows it in its own zone."""
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
