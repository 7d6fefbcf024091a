"""Answers checked against the models."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel


def exactly(model: type[BaseModel], text: str | bytes) -> Any:
    """Return the value of some JSON; assert that it has exactly the fields and types of a model."""
    value = json.loads(text)
    said = model.model_validate_json(text, strict=True).model_dump(mode="json")
    assert said == value
    return value
