"""Ordering and naming an ONNX graph, so that equal networks are equal bytes.

tf2onnx numbers its nodes from a counter of the process, and merges equal nodes in any order.
"""

from typing import Any


def put_in_order(graph: Any) -> None:
    """Sorts nodes and weights in the order of a walk from outputs to inputs, and numbers them.

    Args:
        graph: An `onnx.GraphProto` without subgraphs, changed in place. Its inputs and outputs keep
            their names.
    """
    nodes = _sorted(graph)
    weights = {weight.name: weight for weight in graph.initializer}
    names = {value.name: value.name for value in (*graph.input, *graph.output)} | {"": ""}
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        for name in node.input:
            names.setdefault(name, f"weight_{len(names)}")
        for place, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}_{place}")
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    used = [(weights[name], new) for name, new in names.items() if name in weights]
    for weight, new in used:
        weight.name = new
    _replace(graph.node, nodes)
    _replace(graph.initializer, [weight for weight, _ in used])
    del graph.value_info[:]


def _sorted(graph: Any) -> list[Any]:
    """Returns the nodes in topological order, the sources of each in the order of its inputs."""
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output}
    done: dict[int, None] = {}
    waiting = [makers[value.name] for value in reversed(graph.output) if value.name in makers]
    while waiting:
        number = waiting[-1]
        reads = [makers[name] for name in graph.node[number].input if name in makers]
        missing = [other for other in reads if other not in done]
        if number not in done and missing:
            waiting.extend(reversed(missing))
            continue
        done[waiting.pop()] = None
    return [graph.node[number] for number in done]


def _replace(field: Any, values: list[Any]) -> None:
    copies = [type(value).FromString(value.SerializeToString()) for value in values]
    del field[:]
    field.extend(copies)
