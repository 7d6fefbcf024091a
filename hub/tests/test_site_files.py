"""Bad files of the site: an administrator sees which, what is wrong, and where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after, sleep

from jupyterhub_notify.services import broadcast_folder
from jupyterhub_notify.templates import directory

from .support import Databases, Service, Tokens, running

#: More than the time until the next look at the files, even on a busy machine.
SOON_S = 30

GOOD = {
    "broadcasts/power.md": "---\nsummary: Power off\n---\n",
    "templates/quota.md": "---\nsummary: Over quota\n---\n",
    "rules.yaml": "rules: []\n",
}
BAD = {
    "broadcasts/power.md": "---\nsummary: Power off\ncategory: [\n---\n",
    "templates/quota.md": "---\nsummary: '{{ used'\n---\n",
    "rules.yaml": "rules: 3\n",
}
SENTENCES = (
    "The template quota: ",
    "The broadcast power.md: its front matter is no YAML, line ",
    "The file of rules: ",
)


def write(site: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text)


@pytest.fixture
def sqlite(databases: Databases) -> str:
    """The URL of an empty database."""
    return databases.fresh("sqlite")


@pytest.fixture
async def service(
    tmp_path: Path, sqlite: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    monkeypatch.setattr(broadcast_folder, "LOOK_S", 0.1)
    monkeypatch.setattr(directory, "LOOK_EVERY_S", 0.0)
    write(tmp_path, BAD)
    async with running(
        sqlite,
        tokens,
        broadcasts=tmp_path / "broadcasts",
        templates=tmp_path / "templates",
        rules=tmp_path / "rules.yaml",
    ) as service:
        yield service


async def found(service: Service, count: int) -> list[dict[str, Any]]:
    """Return the problems of files that the doctor reports, once there are so many."""
    with fail_after(SOON_S):
        while True:
            report = (await service.as_("admin").get("/v1/admin/doctor")).json()
            if len(report["problems"]) == count:
                assert report["ok"] == (count == 0)
                return list(report["problems"])
            await sleep(0.05)


async def page(service: Service, who: str, path: str) -> str:
    answer = await service.as_(who).get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


async def test_a_bad_file_is_shown_to_administrators_until_it_is_mended(
    service: Service, tmp_path: Path
) -> None:
    problems = await found(service, len(BAD))
    for problem, sentence in zip(problems, SENTENCES, strict=True):
        assert problem["what"] == "files"
        assert problem["problem"].startswith(f"A file is no good. {sentence}")
    for path in ("/", "/history", "/alerts", "/templates"):
        text = await page(service, "admin", path)
        assert all(sentence in text for sentence in SENTENCES)
    # They are the administrators' matter, and not among anybody's messages.
    assert "is no good" not in await page(service, "teacher", "/history")
    assert "is no good" not in await page(service, "root", "/inbox")
    write(tmp_path, GOOD)
    await found(service, 0)
    assert "is no good" not in await page(service, "admin", "/history")


async def test_a_folder_that_is_gone_is_said_too(service: Service, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    await found(service, 0)
    (tmp_path / "templates").rename(tmp_path / "elsewhere")
    (problem,) = await found(service, 1)
    assert "The directory of templates: the directory cannot be read" in problem["problem"]
