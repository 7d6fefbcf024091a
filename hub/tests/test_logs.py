"""Errors that nobody expected are logged: where, once, and without their text."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from jupyterhub_notify.config import Settings
from jupyterhub_notify.handlers.middleware import Failures
from jupyterhub_notify.logs import set_up, traced

SECRET = "what alice was told"


class Number(BaseModel):
    value: int


def fail() -> None:
    try:
        Number.model_validate({"value": SECRET})
    except ValueError as error:
        raise KeyError(SECRET) from error


def failure() -> Exception:
    try:
        fail()
    except KeyError as error:
        return error
    raise AssertionError


def test_an_error_is_told_by_its_place_and_its_types() -> None:
    text = traced(failure())
    assert SECRET not in text
    assert "builtins.KeyError" in text
    assert "pydantic_core._pydantic_core.ValidationError" in text
    assert "test_logs.py" in text
    # An administrator needs the system's words about a file.
    assert "OSError: No space left on device" in traced(OSError(28, "No space left on device"))


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Return what was logged; the set-up of logging is undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["console", "json"])
async def test_a_request_that_fails_is_logged_once_and_answered_500(
    form: Any, stderr: Callable[[], str]
) -> None:
    set_up(Settings(log_format=form))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fail()

    transport = httpx.ASGITransport(app=Failures(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get("/")
    assert answer.status_code == 500
    assert answer.json() == {"detail": [{"msg": "The service failed", "type": "internal_error"}]}
    logged = stderr()
    assert logged.count("A request failed") == 1
    assert "test_logs.py" in logged
    assert SECRET not in logged
    if form == "json":
        assert json.loads(logged)["error"] == "KeyError"


def test_what_libraries_log_has_no_text_either(stderr: Callable[[], str]) -> None:
    set_up(Settings())
    logging.getLogger("asyncio").error("Task failed", exc_info=failure())
    logged = stderr()
    assert "Task failed" in logged
    assert "builtins.KeyError" in logged
    assert SECRET not in logged


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send the log to a full disk."""
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr("sys.stderr", full)
        yield
        # What is pending would fail once more when it is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


@pytest.mark.usefixtures("stderr", "full_disk")
@pytest.mark.parametrize("form", ["console", "json"])
async def test_a_log_that_cannot_be_written_fails_nothing_else(form: Any) -> None:
    set_up(Settings(log_format=form))
    structlog.get_logger("test").info("Nobody reads this")
    logging.getLogger("asyncio").error("Nor this")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fail()

    transport = httpx.ASGITransport(app=Failures(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get("/")
    assert answer.json()["detail"][0]["msg"] == "The service failed"
