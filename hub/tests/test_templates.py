from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest

from jupyterhub_notify.cli import main
from jupyterhub_notify.errors import Invalid
from jupyterhub_notify.templates import Template, TemplateDirectory, TemplateError, check_directory
from jupyterhub_notify.templates.template import DataError

from .support import Tokens, running

QUOTA = """---
type: warning
banner: true
summary: You use {{ percent }} % of {{ place | default("your home directory") }}
schema:
  type: object
  required: [percent]
  additionalProperties: false
  properties:
    percent: {type: number, maximum: 100}
    place: {type: string}
    files: {type: array, items: {type: object}}
sample:
  percent: 93
  files: [{name: a.iso, size: 123456789}]
---
Delete what you no longer need.

{% for file in files | default([]) %}
- {{ file.name }}: {{ file.size | filesizeformat }}
{% endfor %}
"""


def template(summary: str = "x", body: str = "") -> Template:
    return Template("t", f"---\nsummary: {json.dumps(summary)}\n---\n{body}")


def test_a_template_is_filled_with_data():
    quota = Template("quota", QUOTA)
    filled = quota.fill({"percent": 91, "files": [{"name": "b.iso", "size": 2000}]})
    assert filled.summary == "You use 91 % of your home directory"
    assert filled.body == "Delete what you no longer need.\n\n- b.iso: 2.0 kB"
    assert (quota.type, quota.banner, quota.dismissable) == ("warning", True, None)


def test_the_template_in_the_documentation_is_good():
    text = (Path(__file__).parents[2] / "docs" / "hub-install.md").read_text()
    [example] = re.findall(r"```md\n(---\n.*?)```", text, re.DOTALL)
    quota = Template("quota", example)
    quota.check(quota.sample)
    filled = quota.fill(quota.sample)
    assert filled.summary == "You use 93 % of your home directory"
    assert filled.body == r"The largest folder is scratch\_2."


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        ({}, [], "'percent' is a required property"),
        ({"percent": "much"}, ["percent"], "is not of type 'number'"),
        ({"percent": 101}, ["percent"], "greater than the maximum"),
        ({"percent": 1, "other": 1}, [], "other"),
        ({"percent": 1, "files": [{"size": 1}, 3]}, ["files", 1], "is not of type 'object'"),
        ({"percent": 1, "files": [{"size": 1}]}, [], "has no attribute 'name'"),
    ],
)
def test_data_that_do_not_fit_are_refused_and_it_says_where(data, path, words):
    with pytest.raises(DataError, match=words) as caught:
        Template("quota", QUOTA).check(data)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no front matter", "does not begin with front matter"),
        ("---\nsummary: x\n", "does not begin with front matter"),
        ("---\nsummary: [\n---\n", "no YAML, line"),
        ("---\n- a\n---\n", "no mapping"),
        ("---\na: &a [x]\nsummary: *a\n---\n", "aliases"),
        ("---\ntype: info\n---\nx", "summary: a template needs one"),
        ("---\nsummary: x\ntyp: info\n---\n", "typ: there is no such field"),
        ("---\nsummary: x\ntype: red\n---\n", "type: it must be one of"),
        ("---\nsummary: x\nbanner: maybe\n---\n", "banner: it must be true or false"),
        ("---\nsummary: x\nsample: [1]\n---\n", "sample: it is no mapping"),
        ("---\nsummary: x\nschema: {type: strange}\n---\n", "schema, at type"),
        ("---\nsummary: x\nschema: 3\n---\n", "schema: it is no JSON Schema"),
        ("---\nsummary: '{{ x'\n---\n", "summary: "),
        ("---\nsummary: x\n---\na\n{% if %}\n", "body, line 5"),
    ],
)
def test_a_template_that_is_no_good_says_where(text, words):
    with pytest.raises(TemplateError, match=words):
        Template("t", text)


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ x.__class__ }}",
    "{{ x['__class__'] }}",
    "{{ x | attr('__class__') }}",
    "{{ [].append(1) }}",
    "{{ 'a'.upper() }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '%s' | format(cycler) }}",
    "{{ lipsum.__globals__ }}",
    "{{ self.__init__ }}",
    "{{ namespace(a=1) }}",
    "{{ range.__self__ }}",
    "{{ (1).__class__ }}",
    "{{ x.items() }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% macro a() %}{% endmacro %}",
    "{% for y in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ loop.__class__ }}",
    "{{ self }}",
    "{{ __bounds }}",
    "{% for y in [1] %}{{ y }}{% endfor %}{{ __bounds }}",
    "{{ [1] | __counted(1) }}",
    "{% set __bounds = x %}",
    "{{ y | sum(attribute='real') }}",
    "{% for y in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for y in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_a_template_reaches_nothing_but_plain_values(text):
    with pytest.raises((TemplateError, DataError)):
        template(text).fill({"x": {"a": 1}, "y": [1]})


LONG = [
    "{% for a in range(1001) %}{% endfor %}",
    "{% for a in range(100) %}{% for b in range(100) %}{% endfor %}{% endfor %}",
    "{% for a in range(1000) %}{{ text }}{% endfor %}",
    "{{ 'x' * 1000000 }}",
    "{{ [1] * 1000000 }}",
    "{{ 2 ** 100000 }}",
    "{{ 10000000000 * 10000000000 * 10000000000 * 10000000000 }}",
    "{{ '%999999d' | format(1) }}",
    "{{ '%*d' | format(999999, 1) }}",
    "{{ '%s' % text }}",
    "{{ text | replace('a', text) }}",
    "{{ items | join(text) }}",
    "{{ items }}",
    "{% set a %}{{ text }}{% endset %}",
    "{% set a = text ~ text %}",
    "{% set a = [items, items] %}{{ a }}",
    "{% set a = text %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% set a = text %}" + "{% set a = '%s%s' | format(a, a) %}" * 40 + "{{ a }}",
    "{% set a = items %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
    "{{ items | sum(start=items) | length }}",
    "{{ 15 | round(-100000000) }}",
    "{{ 15 | round(5000000, 'ceil') }}",
    "{% for a in items %}" * 25 + "{% endfor %}" * 25,
    "{{ text }}" * 10_000,
]


@pytest.mark.parametrize("text", LONG)
def test_a_template_is_bounded(text):
    started = time.thread_time()
    with pytest.raises((TemplateError, DataError)):
        template(text).fill({"text": "a" * 1000, "items": ["b"] * 1000})
    assert time.thread_time() - started < 2


def test_a_value_of_unknown_origin_can_be_written_without_its_markup():
    filled = template("{{ name | text }} `{{ name }}`").fill({"name": "a_b [x](https://e.org)"})
    assert filled.summary.startswith(r"a\_b \[x\]\(https\://e\.org\) `a_b")


def test_a_summary_is_one_line_and_not_empty():
    assert template("a {{ x }}").fill({"x": "b\nc"}).summary == "a b c"
    with pytest.raises(DataError, match="empty"):
        template("{{ x }}").fill({"x": " "})


def doubled(kind: str, end: str) -> str:
    """Return a schema of a few lines that asks the same 2**25 times."""
    lines = [
        f"    a{n}: {{{kind}: [{{$ref: '#/$defs/a{n + 1}'}}, {{$ref: '#/$defs/a{n + 1}'}}]}}"
        for n in range(25)
    ]
    return "\n".join(["", "  $defs:", *lines, f"    a25: {{type: {end}}}", "  $ref: '#/$defs/a0'"])


#: Schemas that would take minutes with certain data, the data, and the error for them.
ENDLESS = {
    "pattern": ("{properties: {a: {pattern: '^(a+)+$'}}}", {"a": "a" * 40 + "!"}, "does not match"),
    "name": (
        "{patternProperties: {'^(a+)+$': true}, additionalProperties: false}",
        {"a" * 40 + "!": 1},
        "Additional properties",
    ),
    "every": (doubled("allOf", "object"), {}, "takes more than"),
    "any": (doubled("anyOf", "string"), {}, "takes more than"),
    # A slow machine gives up before it has come to the bottom.
    "itself": ("{$ref: '#'}", {}, "schema is no good|checking them takes more than"),
    "unique": (
        "{properties: {a: {uniqueItems: true}}}",
        {"a": [*({"x": n} for n in range(4000)), {"x": 1.0}]},
        "the same item twice",
    ),
    "many": ("{}", {"a": [0] * 100_000}, "more than 10000 values"),
    "deep": ("{}", {"a": json.loads("[" * 50 + "]" * 50)}, "more than 20 levels"),
}


@pytest.mark.parametrize(("schema", "data", "words"), ENDLESS.values(), ids=ENDLESS)
def test_checking_data_ends_in_time(schema, data, words):
    endless = Template("t", f"---\nsummary: x\nschema: {schema}\n---\n")
    started = time.thread_time()
    with pytest.raises(DataError, match=words):
        endless.check(data)
    assert time.thread_time() - started < 2


def test_patterns_of_a_schema_mean_what_they_say():
    schema = (
        "{properties: {a: {pattern: '^x+$'}}, patternProperties: {'^n_': {type: number}},"
        " additionalProperties: {type: boolean}}"
    )
    checked = Template("t", f"---\nsummary: x\nschema: {schema}\n---\n")
    checked.check({"a": "xx", "n_a": 1, "other": True})
    for data, path in (({"a": "y"}, ["a"]), ({"n_a": "1"}, ["n_a"]), ({"other": 1}, ["other"])):
        with pytest.raises(DataError) as caught:
            checked.check(data)
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("schema: {properties: {a: {pattern: 'a(?=b)'}}}", "schema: the pattern 'a.* cannot be"),
        ("schema: {patternProperties: {'(': true}}", "schema: the pattern"),
        ("schema: {unevaluatedProperties: false}", "unevaluatedProperties cannot be used"),
        ("schema: {$schema: 'http://json-schema.org/draft-07/schema#'}", "schema can be"),
        ("sample: {a: !!binary aGVsbG8=}", "sample: a value is of a kind"),
        ("sample: {1: a}", "sample: a name in it is no text"),
        (f"sample: {{a: 0x{'f' * 2000}}}", "sample: an integer is over 63 bits"),
    ],
)
def test_a_schema_or_sample_that_cannot_be_served_is_refused(fields, words):
    with pytest.raises(TemplateError, match=words):
        Template("t", f"---\nsummary: x\n{fields}\n---\n")


def test_what_data_say_is_never_run():
    said = {"x": "{{ 7 * 7 }}{% for %}", "__bounds": {"step": 1}, "loop": "l"}
    filled = template("{% for a in y %}{{ a }}{% endfor %} {{ x }} {{ loop }}").fill(
        {**said, "y": [1, 2]}
    )
    assert filled.summary == "12 {{ 7 * 7 }}{% for %} l"
    filled = template("{{ 3.75 | round(1) }} {{ 7 | round }} {{ y | sum(attribute='a') }}").fill(
        {"y": [{"a": 1}, {"a": 2}]}
    )
    assert filled.summary == "3.8 7 3"


def test_a_schema_is_never_fetched():
    text = "---\nsummary: x\nschema: {$ref: 'http://127.0.0.1:9/schema.json'}\n---\n"
    with pytest.raises(DataError, match="schema is no good"):
        Template("t", text).check({})


# --- The directory


def write(directory: Path, name: str, text: str) -> None:
    path = directory / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Clock:
    """A clock that moves far ahead at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def test_a_directory_is_looked_at_again_when_it_changes(tmp_path):
    write(tmp_path, "quota", QUOTA)
    write(tmp_path, "README", "not one of them")
    write(tmp_path, ".git/x", "not one of them")
    write(tmp_path, "jobs/ended", "---\nsummary: Job {{ id }} ended\n---\n")
    templates = TemplateDirectory(tmp_path, clock=Clock())
    assert templates.names == ["jobs/ended", "quota"]
    assert templates.render("jobs/ended", {"id": 3}).summary == "Job 3 ended"
    revision = templates.revision

    write(tmp_path, "jobs/ended", "---\nsummary: Your job {{ id }} has ended\n---\n")
    assert templates.render("jobs/ended", {"id": 3}).summary == "Your job 3 has ended"
    assert templates.revision != revision
    assert templates.revision == TemplateDirectory(tmp_path).revision

    (tmp_path / "quota.md").unlink()
    with pytest.raises(Invalid, match="There is no template 'quota'") as caught:
        templates.check("quota", {"percent": 1})
    assert caught.value.loc == ["body", "template"]
    assert templates.render("quota", {"percent": 1}).summary == "The template quota is missing"


def test_a_bad_file_hides_no_other_and_its_last_good_version_stays(tmp_path):
    write(tmp_path, "good", "---\nsummary: good\n---\n")
    write(tmp_path, "changing", "---\nsummary: before\n---\n")
    (tmp_path / "binary.md").write_bytes(b"---\nsummary: \xff\n---\n")
    (tmp_path / "large.md").write_text("---\nsummary: x\n---\n" + "a" * 300_000)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.md").mkdir()
    templates = TemplateDirectory(tmp_path, clock=Clock())
    assert templates.names == ["changing", "good"]
    write(tmp_path, "changing", "---\nsummary: '{{'\n---\n")
    assert templates.render("changing", {}).summary == "before"
    bad = {finding.name for finding in check_directory(tmp_path) if finding.error}
    assert bad == {"binary", "changing", "folder", "gone", "large"}


def test_data_that_fitted_once_are_still_shown_somehow(tmp_path):
    write(tmp_path, "t", "---\nsummary: '{{ a }}'\n---\n")
    templates = TemplateDirectory(tmp_path, clock=Clock())
    assert templates.render("t", {"a": 1}).summary == "1"
    write(tmp_path, "t", "---\nsummary: '{{ b }}'\n---\n")
    assert templates.render("t", {"a": 1}).summary == "The template t no longer fits this message"


def test_a_directory_that_is_replaced_is_read_from_its_new_place(tmp_path):
    """Kubernetes and git-sync swap a link."""
    for name in ("one", "two"):
        write(tmp_path / name, "t", f"---\nsummary: {name}\n---\n")
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "one")
    templates = TemplateDirectory(link, clock=Clock())
    assert templates.render("t", {}).summary == "one"
    (tmp_path / "new").symlink_to(tmp_path / "two")
    os.replace(tmp_path / "new", link)
    assert templates.render("t", {}).summary == "two"


def test_the_command_checks_every_template(tmp_path, capsys):
    write(tmp_path, "quota", QUOTA)
    assert main(["templates", "check", str(tmp_path)]) == 0
    assert "good quota: You use 93 % of your home directory" in capsys.readouterr().out
    write(tmp_path, "sample", "---\nsummary: '{{ x }}'\n---\n")
    assert main(["templates", "check", str(tmp_path), "--json"]) == 1
    findings = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert findings["quota"]["type"] == "warning"
    assert "sample: the template cannot be filled" in findings["sample"]["error"]
    assert main(["templates", "check", str(tmp_path / "nowhere")]) == 2


# --- On the wire


async def test_a_structured_notification_is_rendered_when_it_is_read(
    database: str, tokens: Tokens, tmp_path: Path
):
    write(tmp_path, "quota", QUOTA)
    body = {"recipient": "alice", "template": "quota", "data": {"percent": 92}, "key": "home"}
    async with running(database, tokens, templates=tmp_path) as service:
        path = "/v1/services/quota/notifications"
        answer = await service.as_("quota").post(path, json={**body, "data": {"percent": "x"}})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "data", "percent"]
        answer = await service.as_("quota").post(path, json={**body, "template": "other"})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "template"]
        assert await service.messages() == []

        assert (await service.as_("quota").post(path, json=body)).status_code == 200
        [message] = await service.messages()
        assert message["summary"]["gfm"] == "You use 92 % of your home directory"
        assert (message["type"], message["banner"]) == ("warning", True)
        sent = (await service.as_("quota").get(path)).json()
        assert sent[0]["data"] == {"percent": 92}
