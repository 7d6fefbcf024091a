"""The service's description of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Model

__all__ = ["FEATURES", "Index", "Metadata", "index"]

FEATURES = [
    "alerts",
    "broadcasts",
    "channels",
    "events",
    "hello",
    "messages",
    "overview",
    "quiet",
    "receipts",
    "reconcile",
    "replies",
    "snooze",
    "templates",
    "welcome",
]


class Metadata(Model):
    """Metadata about the package, as Semaphore has them."""

    name: Annotated[str, Field(title="Application name", description="Name of this service")]
    version: Annotated[str, Field(title="Version", description="Of the service")]
    description: Annotated[str, Field(title="Description", description="Purpose of the service")]


class Index(Model):
    """The application's root answer."""

    metadata: Annotated[Metadata, Field(title="Package metadata", description="About it")]
    features: Annotated[
        list[str],
        Field(title="Features", description="The parts of the wire that this service serves"),
    ]
    receipts: Annotated[
        Literal["off", "counts", "full"],
        Field(
            title="Receipts",
            description="Extent to which they are kept; with off, none need be sent",
        ),
    ]
    api_docs_path: Annotated[str, Field(title="API docs path", description="For a browser")]
    openapi_path: Annotated[str, Field(title="OpenAPI path", description="For a program")]


def index(*, version: str, receipts: Literal["off", "counts", "full"], root: str) -> Index:
    """Return the root's answer.

    Parameters
    ----------
    version
        The service's version.
    receipts
        How receipts are kept.
    root
        The path of the service.

    Returns
    -------
    Index
        The answer.
    """
    return Index(
        metadata=Metadata(
            name="jupyterhub-notify",
            version=version,
            description="The central notification service of a JupyterHub",
        ),
        features=FEATURES,
        receipts=receipts,
        api_docs_path=f"{root}/docs",
        openapi_path=f"{root}/openapi.json",
    )
