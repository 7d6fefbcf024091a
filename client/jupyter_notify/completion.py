"""Shell completion for ``jupyter notify``, generated from its parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")

BASH = """\
# eval "$(jupyter notify completion bash)"
_jupyter_notify() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} first=1 words
  COMPREPLY=()
  if [[ ${{COMP_WORDS[0]##*/}} == jupyter ]]; then
    if (( COMP_CWORD == 1 )); then
      COMPREPLY=($(compgen -W "$(compgen -c jupyter- | sed 's/^jupyter-//')" -- "$cur"))
      return
    fi
    if [[ ${{COMP_WORDS[1]}} != notify ]]; then
      COMPREPLY=($(compgen -f -- "$cur"))
      return
    fi
    first=2
  fi
  if (( COMP_CWORD == first )); then
    COMPREPLY=($(compgen -W "{commands}" -- "$cur"))
    return
  fi
  case "${{COMP_WORDS[first]}} $prev" in
{choices}
  esac
  case "${{COMP_WORDS[first]}}" in
{options}
  esac
  case "$prev" in
    --body-file|--image|--token-file) COMPREPLY=($(compgen -f -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
  esac
  if [[ ${{COMP_WORDS[first]}} == run && $cur != -* ]]; then
    COMPREPLY=($(compgen -c -- "$cur") $(compgen -f -- "$cur"))
  fi
}}
complete -o filenames -F _jupyter_notify jupyter-notify jupyter
"""

ZSH = """\
# eval "$(jupyter notify completion zsh)", after compinit
autoload -U +X bashcompinit && bashcompinit
"""


def _subparsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Return each long option with its help and its choices."""
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                yield option, action.help or "", tuple(map(str, action.choices or ()))


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that a shell evaluates to complete ``jupyter notify``.

    Parameters
    ----------
    parser
        The command's parser.
    shell
        One of ``SHELLS``.
    """
    commands = dict(_subparsers(parser))
    if shell == "fish":
        return _fish(commands)
    choices = [
        f'    "{name} {option}") COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$cur"));'
        " return ;;"
        for name, one in commands.items()
        for option, _, values in _options(one)
        if values
    ]
    options = [
        f'    {name}) words="{" ".join(option for option, _, _ in _options(one))}" ;;'
        for name, one in commands.items()
        if name != "completion"
    ]
    options.append(f'    completion) words="{" ".join(SHELLS)}" ;;')
    bash = BASH.format(
        commands=" ".join(commands), choices="\n".join(choices), options="\n".join(options)
    )
    return bash if shell == "bash" else ZSH + bash


def _fish(commands: dict[str, argparse.ArgumentParser]) -> str:
    names = " ".join(commands)
    lines = ["# jupyter notify completion fish | source"]
    for command, known in (
        ("jupyter-notify", ""),
        ("jupyter", "__fish_seen_subcommand_from notify; and "),
    ):
        if known:
            lines.append("complete -c jupyter -n __fish_use_subcommand -a notify")
        none = f"{known}not __fish_seen_subcommand_from {names}"
        lines.append(f"complete -c {command} -f -n '{none}' -a '{names}'")
        for name, one in commands.items():
            there = f"{known}__fish_seen_subcommand_from {name}"
            for option, text, values in _options(one):
                choices = f" -x -a '{' '.join(values)}'" if values else ""
                description = text.replace("'", "\\'")
                lines.append(
                    f"complete -c {command} -n '{there}' "
                    f"-l {option[2:]}{choices} -d '{description}'"
                )
    return "\n".join(lines) + "\n"
