"""Messages that nobody can see are refused."""

from __future__ import annotations

import pydantic
import pytest

from jupyterlab_notify.models import IngestMessage


@pytest.mark.parametrize(
    "message",
    [
        "\u3164",
        "\u2800\u200b",
        "\u202e\u2066",
        " \u034f\t",
        "\ufe0f\u00ad",
        "\U000e0041\U000e007f",
        "\x00\x07\x1b\x7f\x85\x9f",
        "\x1c\x1d\x1e\x1f",
        "\U0001bca0\U0001d159\U0001d173\U00013430",
    ],
)
def test_a_message_or_a_source_of_nothing_but_invisible_characters_is_blank(message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="must not be blank"):
        IngestMessage(message=message)
    with pytest.raises(pydantic.ValidationError, match="must not be blank"):
        IngestMessage(message="m", source=message)


@pytest.mark.parametrize("message", ["a\u202e", "\u200b!", "\U0001f44d\ufe0f", "\u0915\u200d"])
def test_a_message_with_one_visible_character_is_not(message: str) -> None:
    assert IngestMessage(message=message).message == message
