"""ONNX graphs in order: whatever the order and the names were, the graph computes the same."""

import random

import numpy as np
import onnx
from onnx import reference

from darts_tf.exporting.onnx_order import put_in_order


def make_graph(seed):
    """(x + w) * (x * v) as `y`, with nodes, weights and names in disorder."""
    draw = random.Random(seed)
    a, b, w, v = draw.sample(["p", "q", "r", "s"], 4)
    nodes = [
        onnx.helper.make_node("Add", ["x", w], [a], name=draw.choice("ab")),
        onnx.helper.make_node("Mul", ["x", v], [b]),
        onnx.helper.make_node("Mul", [a, b], ["y"]),
        onnx.helper.make_node("Relu", ["x"], ["unused"]),
    ]
    weights = [
        onnx.numpy_helper.from_array(np.float32([2, 3]), w),
        onnx.numpy_helper.from_array(np.float32([5, 7]), v),
    ]
    draw.shuffle(nodes)
    draw.shuffle(weights)
    x, y = (onnx.helper.make_tensor_value_info(name, 1, [2]) for name in "xy")
    return onnx.helper.make_graph(nodes, "odd", [x], [y], weights)


def test_disorder_leaves_no_trace(seed):
    graphs = [make_graph(seed + i) for i in range(20)]
    assert len({graph.SerializeToString() for graph in graphs}) > 1
    for graph in graphs:
        put_in_order(graph)
    [same] = {graph.SerializeToString(deterministic=True) for graph in graphs}
    model = onnx.helper.make_model(onnx.GraphProto.FromString(same))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Add", "Mul", "Mul"]
    [y] = reference.ReferenceEvaluator(model).run(None, {"x": np.float32([1, 10])})
    np.testing.assert_array_equal(y, [(1 + 2) * (1 * 5), (10 + 3) * (10 * 7)])
