"""Answers checked against the models."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel


def exactly(model: type[BaseModel], text: str | bytes) -> Any:
    """Return what JSON says, if it is just what ``model`` says: no more, no less, no other."""
    value = json.loads(text)
    said = model.model_validate_json(text, strict=True).model_dump(mode="json")
    assert said == value
    return value
