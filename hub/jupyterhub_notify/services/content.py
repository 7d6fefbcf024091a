"""The text of a message: stored as it was sent, and rendered when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import Invalid
from ..models.common import FormattedText
from ..models.notifications import Options
from ..models.stored import StoredNotification
from ..rendering import render_block, render_inline

__all__ = ["Content", "ContentService", "NoTemplates", "Rendered", "Templates", "formatted_body"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """The fields of a filled template; those that it does not set are `None`."""

    summary: str
    body: str | None
    type: str | None = None
    banner: bool | None = None
    dismissable: bool | None = None


class Templates(Protocol):
    """The templates of structured notifications."""

    @property
    def revision(self) -> str:
        """A text that changes whenever a template does."""

    @property
    def names(self) -> list[str]:
        """The names of the templates."""

    @property
    def problems(self) -> dict[str, str]:
        """The problem of each bad template."""

    def sample(self, name: str) -> dict[str, Any]:
        """Return a template's sample data."""

    def check(self, name: str, data: dict[str, Any]) -> None:
        """Refuse, with `Invalid`, an unknown template or data that do not fit it."""

    def render(self, name: str, data: dict[str, Any]) -> Rendered:
        """Return a template filled with data; this never fails."""


class NoTemplates:
    """The templates of a site without a directory of them: none."""

    revision = ""

    @property
    def names(self) -> list[str]:
        """None."""
        return []

    @property
    def problems(self) -> dict[str, str]:
        """None."""
        return {}

    def sample(self, name: str) -> dict[str, Any]:
        """Return none."""
        return {}

    def check(self, name: str, data: dict[str, Any]) -> None:
        """Refuse every template."""
        raise Invalid("This service has no directory of templates", ["body", "template"])

    def render(self, name: str, data: dict[str, Any]) -> Rendered:
        """Return a text that says that the template is missing; it existed at the sending."""
        return Rendered(summary=f"The template {name} is missing", body=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A message's content as it is shown."""

    type: str
    summary: str
    body: str | None
    options: dict[str, Any]


def formatted_summary(text: str) -> FormattedText:
    """Return a summary in both formats."""
    return FormattedText.model_construct(gfm=text, html=render_inline(text))


def formatted_body(text: str | None) -> FormattedText | None:
    """Return a body in both formats."""
    return (
        None if text is None else FormattedText.model_construct(gfm=text, html=render_block(text))
    )


class ContentService:
    """Renders notifications.

    Parameters
    ----------
    templates
        The templates.
    """

    def __init__(self, *, templates: Templates) -> None:
        self._templates = templates

    @property
    def revision(self) -> str:
        """A text that changes whenever stored notifications would be rendered differently."""
        return self._templates.revision

    def check(self, template: str, data: dict[str, Any] | None) -> None:
        """Refuse an unknown template, or data that do not fit it."""
        self._templates.check(template, data or {})

    @property
    def names(self) -> list[str]:
        """The names of the templates."""
        return self._templates.names

    @property
    def problems(self) -> dict[str, str]:
        """The problem of each bad template."""
        return self._templates.problems

    def sample(self, name: str) -> Rendered:
        """Return a template filled with its own sample.

        Raises
        ------
        Invalid
            If there is no such template.
        """
        data = self._templates.sample(name)
        self._templates.check(name, data)
        return self._templates.render(name, data)

    def of(self, stored: StoredNotification) -> Content:
        """Return a notification's content: its own text, or its filled template."""
        if stored.template is None:
            return Content(
                type=stored.type or "info",
                summary=stored.summary,
                body=stored.body,
                options=stored.options,
            )
        rendered = self._templates.render(stored.template, stored.data or {})
        options = dict(stored.options)
        for name in ("banner", "dismissable"):
            value = getattr(rendered, name)
            if value is not None:
                options.setdefault(name, value)
        return Content(
            type=stored.type or rendered.type or "info",
            summary=rendered.summary,
            body=rendered.body,
            options=options,
        )


def options_of(values: Options) -> dict[str, Any]:
    """Return the given options of a message's display, in their stored form."""
    return values.model_dump(
        mode="json", include=set(Options.model_fields), exclude_unset=True, exclude_none=True
    )
