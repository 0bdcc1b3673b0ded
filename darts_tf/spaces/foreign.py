"""Genotypes in the forms of other tools, translated into ours; nothing in them is executed.

- A Python call, as DARTS and its forks print it, after other words perhaps:
  `genotype = Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), ...)`; edges in
  pairs by node, with their weights, and fields that are None, as GDAS and P-DARTS have them.
- The same as a dictionary or a named tuple.
- DARTS's recurrent cell, `Genotype(recurrent=[('relu', 0), ...], concat=range(1, 9))`.
- NNI's dictionaries, with keys such as `normal_n2_p0` or `normal/op_2_0`.
- NAS-Bench-201's strings, `|nor_conv_3x3~0|+|none~0|skip_connect~1|+...`.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from darts_tf.errors import UserError, short

if TYPE_CHECKING:
    from darts_tf.spaces.genotype import Genotype

FORMS = (
    "as JSON, or as DARTS prints it, Genotype(normal=[('skip_connect', 0), ...], "
    "normal_concat=range(2, 6), ...)"
)
_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
_CALL = re.compile(r"\b\w*Genotype\s*\(")
_MOST_NUMBERS = 1000
# Calls that hold one number or one list, as NumPy and PyTorch print theirs.
_WRAPPERS = (
    *("int", "int32", "int64", "intp", "float32", "float64", "tensor", "array"),
    *("list", "tuple", "dict", "OrderedDict"),
)
# The candidates of NNI's example of DARTS, in the order of its numbers.
_NNI = {
    "maxpool": "max_pool_3x3",
    "avgpool": "avg_pool_3x3",
    "skipconnect": "skip_connect",
    "sepconv3x3": "sep_conv_3x3",
    "sepconv5x5": "sep_conv_5x5",
    "dilconv3x3": "dil_conv_3x3",
    "dilconv5x5": "dil_conv_5x5",
}
_NNI_KEY = re.compile(
    r"(normal|reduce)(?:_n(\d{1,3})_(?:p(\d{1,3})|switch)|/(?:op|input)_(\d{1,3})_(\d{1,3}))"
)
_BENCH = re.compile(r"\s*\|[^~|+\s]+~\d+\|[^\n]*")


def is_text(given: str) -> bool:
    """Returns whether a text is meant as a genotype itself, not as its name or its file.

    Args:
        given: The text, of a command line for instance.
    """
    starts = given.lstrip()[:1] in ("{", "[", "(", "|", '"', "'")
    return starts or "\n" in given or _CALL.search(given) is not None


def parsed(text: str) -> Any:
    """Returns what a text holds, in lists and dictionaries.

    Example:
        >>> from darts_tf.spaces.foreign import parsed
        >>> parsed("best = Genotype(normal=[('none', 0)], normal_concat=range(2, 4))")
        {'normal': [['none', 0]], 'normal_concat': [2, 3]}

    Args:
        text: A genotype of any of the forms, JSON too.

    Raises:
        UserError: If it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        calls = list(_calls(text))
        if _BENCH.fullmatch(text):
            return text.strip()
        # A dictionary as Python prints it; what is meant as JSON gets JSON's own error.
        if not calls and not re.match(r"\s*(\{\s*'|OrderedDict\()", text):
            raise UserError(f"expected a genotype {FORMS}; got {short(text)} ({error})") from error
    contents = [_literal(call) for call in calls or [text.strip()]]
    different = [content for content in contents if content != contents[0]]
    if different:
        raise UserError(
            f"expected one genotype, got {len(contents)} in one text, from {short(calls[0])}; "
            "leave the one that is meant"
        )
    return contents[0]


def translated(content: Any) -> Any:
    """Returns a genotype of another tool's form in that of ours, anything else as it is.

    Args:
        content: What `parsed` returns, or a named tuple.

    Raises:
        UserError: If the form is another tool's and the genotype is not whole.
    """
    if isinstance(content, tuple) and hasattr(content, "_asdict"):
        content = content._asdict()
    if isinstance(content, str) and _BENCH.fullmatch(content):
        return _of_bench(content.strip())
    if not isinstance(content, Mapping):
        return content
    if any(isinstance(key, str) and _NNI_KEY.fullmatch(key) for key in content):
        return _of_nni(content)
    if content.keys() == {"recurrent", "concat"}:
        return _of_recurrent(content)
    if not set(_FIELDS) <= content.keys():
        return content
    fields = {name: value for name, value in content.items() if value is not None}
    for name, value in fields.items():
        if isinstance(value, range):
            fields[name] = _numbers(value)
        elif name in ("normal", "reduce"):
            fields[name] = _flat(value)
    return fields


def _calls(text: str) -> Iterator[str]:
    """Yields each call of a Genotype in a text, to its closing parenthesis."""
    place = 0
    while call := _CALL.search(text, place):
        depth, place = 0, call.end() - 1
        for place in range(call.end() - 1, len(text)):
            depth += {"(": 1, ")": -1}.get(text[place], 0)
            if not depth:
                break
        else:
            start = short(text[call.start() :])
            raise UserError(f"expected a genotype to its closing parenthesis, got {start}")
        yield text[call.start() : place + 1]


def _literal(text: str) -> Any:
    """Returns the value of a Python expression of literals, ranges and a Genotype's call."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's, of escapes in a string for instance
            return _value(ast.parse(text, mode="eval").body)
    except UserError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"expected a genotype {FORMS}; got {short(text)} ({reason})") from error


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_value(key) if key else None for key in node.keys]
        if all(isinstance(key, str) for key in keys):
            return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand)
        if isinstance(number, int | float):
            return -number
    if isinstance(node, ast.Call):
        return _call_value(node)
    raise UserError(f"expected a genotype of names and numbers, got {short(ast.unparse(node))}")


def _call_value(node: ast.Call) -> Any:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    values = [_value(value) for value in node.args]
    named = {word.arg: _value(word.value) for word in node.keywords if word.arg}
    if name.endswith("Genotype") and len(values) <= len(_FIELDS):
        return dict(zip(_FIELDS, values, strict=False)) | named
    if name == "range" and values and not named and all(isinstance(v, int) for v in values):
        return _numbers(range(*values))
    if name in _WRAPPERS and len(values) == 1:
        return dict(values[0]) if "ict" in name else values[0]
    raise UserError(f"expected a genotype of names and numbers, got {short(ast.unparse(node))}")


def _numbers(numbers: range) -> list[int]:
    if numbers[_MOST_NUMBERS:]:
        raise UserError(f"expected a genotype of names and numbers, got {short(numbers)}")
    return list(numbers)


def _flat(edges: Any) -> Any:
    """Returns edges node by node as one list of (operation, source), without weights."""
    if not isinstance(edges, list | tuple):
        return edges
    flat: list[Any] = []
    for entry in edges:
        pairs = isinstance(entry, list | tuple) and entry and not isinstance(entry[0], str)
        flat += entry if pairs else [entry]
    weighted = [
        isinstance(edge, list | tuple) and len(edge) == 3 and isinstance(edge[2], float)
        for edge in flat
    ]
    return [edge[:2] if drop else edge for edge, drop in zip(flat, weighted, strict=True)]


def _of_recurrent(content: Mapping[Any, Any]) -> dict[str, Any]:
    """Returns the genotype of DARTS's recurrent cell, whose nodes have one edge each."""
    edges, output = content["recurrent"], content["concat"]
    if isinstance(output, range):
        output = _numbers(output)
    if isinstance(edges, list | tuple):
        edges = [
            [*edge, node] if isinstance(edge, list | tuple) else edge
            for node, edge in enumerate(edges, start=1)
        ]
    return {"space": "ptb", "recurrent": edges, "recurrent_concat": output}


def _of_nni(content: Mapping[Any, Any]) -> dict[str, Any]:
    """Returns the genotype of a dictionary of NNI: two edges a node, all nodes in the output."""
    nodes_of: dict[str, set[int]] = {"normal": set(), "reduce": set()}
    for key in content:
        match = _NNI_KEY.fullmatch(key) if isinstance(key, str) else None
        if match:
            nodes_of[match[1]].add(int(match[2] or match[4]))
    fields: dict[str, Any] = {}
    for cell, nodes in nodes_of.items():
        numbers = sorted(nodes)
        if numbers != list(range(2, 2 + len(numbers))) or not numbers:
            raise UserError(f"{cell}: expected NNI's nodes from 2 on, got {short(numbers)}")
        fields[cell] = [edge for node in numbers for edge in _nni_edges(content, cell, node)]
        fields[f"{cell}_concat"] = numbers
    return fields


def _nni_edges(content: Mapping[Any, Any], cell: str, node: int) -> list[list[Any]]:
    """Returns the two edges of a node of NNI, each as [operation, source]."""
    if f"{cell}/op_{node}_0" in content:  # the form of NNI's hub of spaces
        operations = [_entry(content, f"{cell}/op_{node}_{place}") for place in (0, 1)]
        sources = [_entry(content, f"{cell}/input_{node}_{place}") for place in (0, 1)]
        return [[name, _single(read)] for name, read in zip(operations, sources, strict=True)]
    prefix = f"{cell}_n{node}"
    chosen = _entry(content, f"{prefix}_switch")
    flags = isinstance(chosen, list) and len(chosen) == node and all(map(_is_flag, chosen))
    if flags and sum(chosen) == 2:  # otherwise places, which may be 0 and 1
        chosen = [place for place, flag in enumerate(chosen) if flag]
    keys = [f"{prefix}_p{place}" for place in range(node)]
    places = [keys.index(key) if key in keys else key for key in _as_list(chosen)]
    if len(places) != 2 or not all(isinstance(place, int) for place in places):
        raise UserError(f"{prefix}_switch: expected two inputs, got {short(chosen)}")
    return [[_nni_name(content, f"{prefix}_p{place}"), place] for place in sorted(places)]


def _nni_name(content: Mapping[Any, Any], key: str) -> Any:
    """Returns the operation of a key: its name, its number, or a list with a one at its place."""
    chosen, names = _entry(content, key), list(_NNI.values())
    if isinstance(chosen, list) and len(chosen) >= len(names) and all(map(_is_flag, chosen)):
        chosen = [place for place, flag in enumerate(chosen) if flag]
    chosen = _single(chosen)
    if isinstance(chosen, int) and not isinstance(chosen, bool) and 0 <= chosen < len(names):
        return names[chosen]
    if not isinstance(chosen, str):
        raise UserError(f"{key}: expected an operation of NNI, got {short(chosen)}")
    return _NNI.get(chosen, chosen)


def _entry(content: Mapping[Any, Any], key: str) -> Any:
    if key not in content:
        raise UserError(f"expected NNI's {key} in a genotype with others of its keys")
    return content[key]


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1))


def bench_string(genotype: Genotype) -> str:
    """Returns the string that NAS-Bench-201 has for a cell.

    Args:
        genotype: A genotype of one cell with one input, whose nodes read all earlier ones.

    Raises:
        UserError: If it is none.

    Example:

        >>> from darts_tf import read_genotype
        >>> text = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
        >>> bench_string(read_genotype(text)) == text
        True
    """
    nodes = genotype.nodes(genotype.cells[0]) if len(genotype.cells) == 1 else ()
    sources = [[source for _, source in node] for node in nodes]
    if genotype.inputs != 1 or sources != [[*range(target)] for target in range(1, 1 + len(nodes))]:
        raise UserError(
            "expected a cell in which each node reads the input and all earlier nodes, as in "
            f"NAS-Bench-201, got one of the space {genotype.space!r}"
        )
    return "+".join(f"|{'|'.join(f'{name}~{source}' for name, source in node)}|" for node in nodes)


def _of_bench(text: str) -> dict[str, Any]:
    """Returns the genotype of a string of NAS-Bench-201, of the registered space that has it."""
    from darts_tf import spaces  # here, because genotypes import this module

    edges: list[tuple[str, int, int]] = []
    for target, node in enumerate(text.split("+"), 1):
        for edge in node.strip("|").split("|"):
            name, _, source = edge.partition("~")
            if not source.isdecimal() or len(source) > 3:
                raise UserError(f"expected operation~source in each edge, got {short(edge)}")
            edges.append((name, int(source), target))
    found = None
    for name in spaces.names():
        space = spaces.get(name)
        if space.inputs != 1 or len(space.cells) != 1:
            continue
        [cell] = space.cells
        candidates = {(edge.source, edge.target): edge.candidates for edge in space.edges(cell)}
        if candidates.keys() != {(source, target) for _, source, target in edges}:
            continue
        output = {cell: edges, f"{cell}_concat": [*space.output(cell)]}
        if all(kind in candidates[source, target] for kind, source, target in edges):
            return {"space": name, **output}
        found = found or {"space": name, **output}
    if found:  # whose check names the operation that it does not have
        return found
    raise UserError(
        f"expected a registered search space for a genotype of NAS-Bench-201 with {edges[-1][2]} "
        f"nodes, got {', '.join(spaces.names())}"
    )
