"""A program's output becomes the text that its terminal would show, whatever it is."""

from __future__ import annotations

from time import perf_counter

import pytest

from jupyter_notify.message import compose
from jupyter_notify.terminal_text import plain_output


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://h\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Htop", "top"),
        ("\x1b(B\x1b=x", "x"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r50%\r", "50%"),
        ("a\r\nb\r\r\n", "a\nb\n"),
        ("\r\r\n", "\n"),
        # The letter is written over, as a terminal does.
        ("bell\x07 back\x08space \x00", "bell bacspace "),
        ("wait |\x08/\x08-\x08\\\n", "wait \\\n"),
        (" 10%\x08\x08\x08\x08 20%\n", " 20%\n"),
        ("one\ntwo\n\x1b[2A\x1b[2K\rdone\x1b[1B\r\n", "done\ntwo\n"),
        ("a: 0%\nb: 0%\x1b[A\ra: 9%\n\rb: 5%", "a: 9%\nb: 5%"),
        ("\x1b[1G\x1b[0Kidle\x1b[1G\x1b[0Kdone", "done"),
        ("\x9b3Cx\x1b[2Dy\x1b[99999999D\x1b[9Fz", "z yx"),
        ("kept\nold\nolder\x1b[1A\x1b[1G\x1b[Jnew", "kept\nnew"),
        ("N\x08NA\x08AM\x08ME\x08E", "NAME"),
        ("_\x08x_\x08y \x08\n", "xy \n"),
        ("\x1b[38:2::1:2:3mx\x1b[0m\x1b[?2026h\x1b[1 q", "x"),
        ("\x1b_Gf=100;AAAA\x1b\\\x1b]1337;File=inline=1:AAAA\x07x", "x"),
        # What is another line to a terminal joins no words.
        ("tab\tand\x0bother\x0c", "tab\tand\nother\n"),
        ("next\x85line\x1bEby\x1bDescape\x84s", "next\nline\nby\nescape\ns"),
        ("\x1b[31m1\x0c\x1b[0m```\r\n", "1\n```\n"),
        ("abcdef\x08\x08\x1b[1KX", "    Xf"),
        # As apt shows its progress in the last line of the screen.
        (
            "one\n\x1b7\x1b[24;0f\x1b[42m\x1b[30mProgress: [ 50%]\x1b[49m\x1b[39m [##..] \x1b8two",
            "one\ntwo",
        ),
        ("one \x1b[s\x1b[1;1Hclock 12:00\x1b[K\x1b[utwo", "one two"),
        ("\x1b7\x1b[0;23r\x1b8\x1b[1Akept\x1b7 too\x1b8", "kept too"),
        ("\x1b7\x1b[24;0fno end\nline", "no end\nline"),
        # A position is saved and restored, as bars and spinners do.
        ("\x1b[s10%\x1b[u20%\x1b[u30%", "30%"),
        ("one\x1b7\ntwo\x1b8!", "one!\ntwo"),
        ("one\n\n\x1b[s\x1b[2A\r\x1b[J\x1b[utwo", "two"),
        ("one\ntwo\x1bM!", "one!\ntwo"),
        # What is drawn at a given place or on an empty screen is not joined with what was before.
        ("old\x1b[H\x1b[2J\x1b[3Jnew", "old\nnew"),
        ("\x1b[1;1Hone\x1b[2;1Htwo\x1b[3dthree", "one\ntwo\nthree"),
        ("one\ntwo\x1b[1A\x1b[Hthree", "one\ntwo\nthree"),
        ("one\x1bctwo", "one\ntwo"),
        ("abcdef\x1b[3D\x1b[2X\x1b[3`X", "abX  f"),
        ("\x1bktitle\x1b\\text", "text"),
        # Output may be cut anywhere, and a terminal passes over NUL.
        ("cut\x1b[31", "cut"),
        ("\x1b[38;5\x1b[0mtext", "text"),
        ("\x1b\0[3\x001mtext", "text"),
        ("\x1b]no end", "no end"),
        ("\x9d\x9d0;title\x07x", "x"),
        ("", ""),
    ],
    ids=ascii,
)
def test_escapes_and_what_was_overwritten_are_left_out(output: str, shown: str) -> None:
    assert plain_output(output) == shown


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "\r",
        "a\r",
        "\x1b",
        "\x9b",
        "\x9d",
        "\x1b]",
        "\x1b[0;",
        "\x1bP",
        "\x1b ",
        "\x90\x9e",
        "\x08",
        "y\x08",
        "_\x08",
        "y\x1b[C",
        "\x1b[999C\n",
        "\x1b[2Ky",
        "y\x1b[1K",
        "y\x1b[1K\x1b[A\x1b[B",
        "y\x1b[9X",
        "y\x1b[H",
        "y\x1b[s\x1b[u",
        "\x1b7\x1b[1;1f",
        "\x1b[s\x1b[1;1Hy",
        "\x1b[A\n\n",
        "y\x1b[D\x1b[J",
        ";",
        "`",
    ],
    ids=ascii,
)
def test_it_takes_time_of_the_length_and_not_of_its_square(unit: str) -> None:
    def took_s(length: int) -> float:
        text = (unit * length)[:length]
        began = perf_counter()
        body = compose("m", body=text, plain=True).get("body", "")
        assert "x" not in unit or "x" * 20_000 in body
        return perf_counter() - began

    took_s(25_000)
    # Twenty times as long: four hundred times as much if it were the square.
    assert took_s(600_000) < 1 + 80 * took_s(30_000)
