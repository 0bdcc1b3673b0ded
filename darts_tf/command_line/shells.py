"""Scripts for the completion of `darts-tf` in bash, zsh and fish."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from darts_tf.command_line.help_text import Row

_COMMAND = "darts-tf"
_HEAD = f"# Completes the words after {_COMMAND}; made by `{_COMMAND} completion {{0}}`."
_TRUTHS = ("true", "false")


class Completed(NamedTuple):
    """A program whose words are completed.

    Attributes:
        name: Its name, the first word.
        about: What it does, in one line.
        rows: Its flags.
        words: Its words that are no flags, where these are known.
    """

    name: str
    about: str
    rows: Sequence[Row]
    words: Sequence[str] = ()


def bash(programs: Sequence[Completed]) -> str:
    """Returns a script for bash, which is to be sourced.

    Args:
        programs: The programs.
    """
    names = " ".join(program.name for program in programs)
    lines = [
        _HEAD.format("bash"),
        "_darts_tf() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}" flag="" flags="" values=""',
        "  COMPREPLY=()",
        "  if ((COMP_CWORD == 1)); then",
        f'    COMPREPLY=($(compgen -W "{names}" -- "$word"))',
        "    return",
        "  fi",
        "  # Bash takes the equals sign for a word of its own.",
        '  if [[ $word == "=" ]]; then',
        '    flag="${COMP_WORDS[COMP_CWORD-1]}" word=""',
        '  elif [[ ${COMP_WORDS[COMP_CWORD-1]} == "=" ]]; then',
        '    flag="${COMP_WORDS[COMP_CWORD-2]}"',
        "  fi",
        '  case "${COMP_WORDS[1]}" in',
    ]
    for program in programs:
        flags = " ".join(f"--{row.name}=" for row in program.rows)
        lines += [f"    {program.name})", f'      flags="{flags}"', '      case "$flag" in']
        for row in program.rows:
            if values := _values(row):
                lines.append(f'        --{row.name}) values="{" ".join(values)}" ;;')
        if program.words:
            lines.append(f'        "") values="{" ".join(program.words)}" ;;')
        lines += ["      esac ;;"]
    lines += [
        "  esac",
        "  if [[ $word == -* && -z $flag ]]; then",
        '    COMPREPLY=($(compgen -W "$flags" -- "$word"))',
        "    compopt -o nospace",
        "  elif [[ -n $values ]]; then",
        '    COMPREPLY=($(compgen -W "$values" -- "$word"))',
        "  fi",
        "}",
        f"complete -o bashdefault -o default -F _darts_tf {_COMMAND}",
    ]
    return "\n".join([*lines, ""])


def zsh(programs: Sequence[Completed]) -> str:
    """Returns a script for zsh, a file of `$fpath`.

    Args:
        programs: The programs.
    """
    lines = [
        f"#compdef {_COMMAND}",
        _HEAD.format("zsh"),
        "local -a programs flags",
        "programs=(",
        *(f"  {_quoted(f'{each.name}:{_plain(each.about)}')}" for each in programs),
        ")",
        "if ((CURRENT == 2)); then",
        "  _describe program programs",
        "  return",
        "fi",
        "case $words[2] in",
    ]
    for program in programs:
        specs = [_zsh_flag(row) for row in program.rows]
        words = f"({' '.join(program.words)})" if program.words else "_files"
        lines += [f"  {program.name})", "    flags=("]
        lines += [f"      {_quoted(spec)}" for spec in [*specs, f"*:word:{words}"]]
        lines += ["    ) ;;"]
    lines += ["  *) return 1 ;;", "esac", "shift words", "((CURRENT--))", "_arguments $flags"]
    return "\n".join([*lines, ""])


def fish(programs: Sequence[Completed]) -> str:
    """Returns a script for fish.

    Args:
        programs: The programs.
    """
    return "\n".join([_HEAD.format("fish"), *_fish_lines(programs), ""])


def _fish_lines(programs: Sequence[Completed]) -> Iterator[str]:
    for program in programs:
        first = f"complete -c {_COMMAND} -n __fish_use_subcommand -f"
        yield f"{first} -a {program.name} -d {_quoted(_plain(program.about))}"
    for program in programs:
        seen = _quoted(f"__fish_seen_subcommand_from {program.name}")
        here = f"complete -c {_COMMAND} -n {seen}"
        if program.words:
            yield f"{here} -f -a {_quoted(' '.join(program.words))}"
        for row in program.rows:
            values = _values(row)
            choice = f" -f -a {_quoted(' '.join(values))}" if values else ""
            yield f"{here} -l {row.name} -r{choice} -d {_quoted(_plain(row.text))}"


def _values(row: Row) -> tuple[str, ...]:
    """Returns the values of a flag as far as they are known, each a word of any shell."""
    values = _TRUTHS if isinstance(row.default, bool) else row.choices
    return tuple(value for value in values if value == shlex.quote(value))


def _zsh_flag(row: Row) -> str:
    values = _values(row)
    action = f"({' '.join(values)})" if values else "_files"
    return f"--{row.name}=-[{_plain(row.text)}]:value:{action}"


def _plain(text: str) -> str:
    """Returns the first sentence of a text without the signs that shells give a meaning."""
    sentence = re.split(r"[.;] |\.$", text)[0]
    return re.sub(r"""[\[\]:'"`$\\]""", " ", sentence).replace("  ", " ").strip()


def _quoted(text: str) -> str:
    return f"'{text}'"
