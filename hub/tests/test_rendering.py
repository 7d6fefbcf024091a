from __future__ import annotations

import threading
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_notify import rendering
from jupyterhub_notify.rendering import plain_text, render_block, render_inline, single_line

from .cross_site import CROSS_SITE

ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}


class Checker(HTMLParser):
    """Complains of every tag, attribute and address that rendered text must not have."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in rendering.TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()):
                self.faults.append(f"<{tag} {name}>")
            if name in ("href", "src"):
                scheme = urlsplit((value or "").strip()).scheme.lower()
                if scheme not in ("", "http", "https", "mailto"):
                    self.faults.append(f"{scheme}:")

    def handle_comment(self, data: str) -> None:
        self.faults.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("declaration")


def test_there_are_a_hundred_cross_site_strings():
    assert len(set(CROSS_SITE)) == len(CROSS_SITE) >= 100


@pytest.mark.parametrize("text", CROSS_SITE)
def test_no_cross_site_string_leaves_anything_that_could_run(text):
    assert Checker(render_block(text)).faults == []
    assert Checker(render_inline(text)).faults == []


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*CROSS_SITE, "\n", "\n\n", "> ", "- ", "`", "[", "](", ")", "<", '"', "|"]
        ),
        max_size=6,
    )
)
def test_no_mixture_of_them_does_either(parts):
    assert Checker(render_block("".join(parts))).faults == []


def test_raw_html_is_shown_as_text():
    assert render_inline("**Quota** <img src=x onerror=alert(1)>") == (
        "<strong>Quota</strong> &lt;img src=x onerror=alert(1)&gt;"
    )
    assert render_block("<b>x</b>") == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("~~old~~", "<s>old</s>"),
        ("**a** *b* `c<d`", "<strong>a</strong> <em>b</em> <code>c&lt;d</code>"),
        ("[x](/hub/home)", '<a href="/hub/home">x</a>'),
        ("https://example.com.", '<a href="https://example.com">https://example.com</a>.'),
        ("www.example.com/a", '<a href="http://www.example.com/a">www.example.com/a</a>'),
        ("a@example.org", '<a href="mailto:a@example.org">a@example.org</a>'),
        ("see README.md", "see README.md"),
        ("# no heading", "# no heading"),
        ("", ""),
    ],
)
def test_a_summary_is_inline_markdown_as_github_reads_it(text, html):
    assert render_inline(text) == html


def test_a_body_has_tables_lists_and_code():
    html = render_block("| a | b |\n|---|--:|\n| 1 | 2 |\n\n3. x\n\n```python\n1 < 2\n```\n")
    assert '<th align="right">b</th>' in html
    assert '<ol start="3">\n<li>x</li>' in html
    assert '<pre><code class="language-python">1 &lt; 2\n</code></pre>' in html


K = 32 * 1024
HOSTILE = {
    "quotes": ">" * K,
    "dashes": "- a\n" * 5 + "".join(" " * (2 * depth) + "- a\n" for depth in range(170)),
    "brackets": "[" * K,
    "links": "[a](" * (K // 4),
    "pictures": "![" * (K // 2),
    "nested pictures": "![a](" * (K // 5),
    "closed pictures": "![" * 800 + "a" + "](x)" * 800,
    "stars": "*" * K,
    "emphasis": "*a_" * (K // 3),
    "strong": "a**b" * (K // 4),
    "tildes": "~~a" * (K // 3),
    "wide table": "|" + "a|" * 4000 + "\n|" + "-|" * 4000 + "\n" + "a\n" * 8000,
    "tall table": "|" + "a|" * 60 + "\n|" + "-|" * 60 + "\n" + "|\n" * (K // 2 - 200),
    "backticks": "".join("`" * count + "a" for count in range(1, 250)),
    "autolinks": "<http://" * (K // 8),
    "addresses": "http://" * (K // 7),
    "mail": "a@b.c" * (K // 5),
    "www": "www." * (K // 4),
    "references": "[a]: " + "x" * 10_000 + "\n\n" + "[a]" * 7000,
    "definitions": "[a]:\n" * (K // 5),
    "entities": "&" * K,
    "escapes": "\\" * K,
    "comments": "<!--" * (K // 4),
    "rules": "-\n" * (K // 2),
    "empty lines": "\n" * K,
    "nul": "\x00" * K,
    "long": "a " * (rendering.MAX_TEXT // 2 + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("render", [render_block, render_inline, plain_text])
def test_a_hostile_text_is_bounded_in_time_and_size(name, render):
    # Processor time of this thread, so that a busy machine changes nothing. Without the limit some
    # of these take more than ten seconds.
    started = time.thread_time()
    rendered = render(HOSTILE[name])
    assert time.thread_time() - started < 3 * rendering.TIME_LIMIT_S
    assert len(rendered) <= rendering.MAX_HTML


@pytest.mark.parametrize("name", ["quotes", "dashes", "wide table", "references", "long"])
def test_what_is_not_rendered_is_shown_as_it_was_written(name):
    text = HOSTILE[name]
    html = render_block(text)
    assert html.startswith("<pre>")
    assert html.count("a") >= text.count("a")
    assert html.count("&gt;") == text.count(">")


def test_forty_quotes_within_each_other_are_rendered():
    assert render_block("> " * 40 + "x").count("<blockquote>") == 40


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_rendered_safely_and_twice_the_same(text):
    html = render_block(text)
    assert Checker(html).faults == []
    assert rendering._render(text, block=True) == html
    plain_text(text)


def test_threads_do_not_mix_up_their_texts():
    texts = [f"https://example.org/{number} a@b{number}.org " * 40 for number in range(4)]
    expected = [rendering._render(text, block=True) for text in texts]
    wrong: list[int] = []

    def run(index: int) -> None:
        for _ in range(20):
            if rendering._render(texts[index], block=True) != expected[index]:
                wrong.append(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_plain_text_says_what_markdown_says():
    text = (
        "# Quota\n\nYou use **90 %** of [your home](https://example.org/home).\n"
        "See https://example.org/help\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
        "```py\nx < 1\n```\n\n3. a\n   - b\n   - c\n4. d\n\n> quoted\n"
    )
    assert plain_text(text) == (
        "Quota\n\nYou use 90 % of your home (https://example.org/home).\n"
        "See https://example.org/help\n\na | b\n1 | 2\n\nx < 1\n\n"
        "3. a\n   - b\n   - c\n4. d\n\n> quoted"
    )
    assert plain_text(text, words_only=True) == (
        "Quota\n\nYou use 90 % of your home.\nSee https://example.org/help\n\n"
        "a b\n1 2\n\nx < 1\n\na\nb\nc\nd\n\nquoted"
    )
    assert plain_text("a\n\n---\n\n![a plot](plot.png) [`b`](x)", words_only=True) == (
        "a\n\na plot b"
    )
    assert plain_text("**Quota** of `home`\n~~x~~", block=False) == "Quota of home x"


@pytest.mark.parametrize(
    "text", ["a\r\nBcc: x@example.org", "a\x1b[2Jb", "a\u202eb", "a\x00b", "a\u2028b"]
)
def test_a_single_line_has_nothing_that_ends_or_turns_it(text):
    line = single_line(text)
    assert line.isprintable()
    assert line[0] == "a"


def test_emoji_of_several_parts_stay_one():
    assert single_line("a 👩‍🔬 b") == "a 👩‍🔬 b"
