"""What the terms on a page mean, for readers who hover over them, touch them, or tab to them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import MappingProxyType

TERMS = MappingProxyType(
    {
        "cell": "A small graph of operations that the network repeats. A search finds the cells.",
        "normal cell": "A cell that keeps the height and the width of its input.",
        "reduction cell": "A cell that halves the height and the width of its input.",
        "genotype": "The cells that a search has found: the operations that each node keeps, and "
        "the nodes that they read.",
        "edge": "A connection between two nodes of a cell. During a search it mixes all candidate "
        "operations.",
        "architecture parameters": "Trained numbers, also called alphas, one for each candidate "
        "operation of each edge: the greater, the more the operation counts.",
        "alphas": "The architecture parameters: trained numbers, one for each candidate operation "
        "of each edge.",
        "softmax": "It turns numbers into shares that add up to 1; greater numbers get more.",
        "skip-connects": "Operations that hand a node on unchanged. A search that runs for too "
        "long often fills its cells with them, and the network gets worse: the collapse that "
        "DARTS+ stops before.",
        "ranking": "The order of an edge's learnable operations by their architecture parameters.",
        "criterion": "A rule that ends a search early.",
        "criteria": "Rules that end a search early.",
        "criterion 1": "The rule that ends a search when a cell has two or more skip-connects.",
        "criterion 1*": "The rule that ends a search when the ranking of the operations has not "
        "changed for a number of epochs.",
        "supernet": "The network of a search, which computes all candidate operations of all "
        "edges.",
        "epoch": "One pass over the training images.",
        "validation accuracy": "The share of correct answers on images that the weights are not "
        "trained on.",
        "training accuracy": "The share of correct answers on the images that the weights are "
        "trained on.",
        "losses": "Cross-entropies: 0 if every answer is correct and certain. Lower is better.",
        "loss": "The cross-entropy: 0 if every answer is correct and certain. Lower is better.",
        "nats": "The unit of a loss computed with natural logarithms.",
        "accuracy": "The share of correct answers.",
        "accuracies": "Shares of correct answers.",
        "perplexity": "Among how many equally likely words the model hesitates, on average: e to "
        "the power of the loss. Lower is better.",
        "in rows": "Measured after each epoch, on a text that is cut into as many rows as a batch "
        "has: each row begins without the words before it. The perplexity of a finished training "
        "is that of the whole text, read in one piece.",
        "learning rate": "How far a training step moves the weights.",
        "drop path": "Training leaves paths of a cell out at random, which counters overfitting; "
        "this is how often.",
        "test error": "The share of wrong answers on the test images, which took no part in the "
        "training.",
        "validation error": "The share of wrong answers on the images that were held out.",
        "top 5": "An answer counts as correct if the class is among the five most probable.",
        "parameters": "The trained numbers of the network.",
        "multiply-adds": "The multiplications, each with an addition, that one image takes.",
        "cost": "The time of computing, times the number of devices.",
        "free operations": "Operations without weights of their own, such as skip-connects and "
        "pooling.",
        "seed": "The number that all random draws of a run follow from.",
        "held out": "Training images that the weights are not trained on, and that measure them.",
    }
)

# Names of operations, and what they compute; a group stands for the size of the kernel.
_OPERATIONS = MappingProxyType(
    {
        "none": "No connection: the edge passes nothing on.",
        "skip_connect": "Hands the node on unchanged; at stride 2 it halves height and width.",
        "identity": "Hands the node on unchanged.",
        r"max_pool_(\dx\d)(_norm)?": "The largest value of each {} window.",
        r"avg_pool_(\dx\d)": "The mean of each {} window.",
        r"sep_conv_(\dx\d)": "Two depthwise separable convolutions {}, one after the other.",
        r"dil_conv_(\dx\d)": "A depthwise separable convolution {} with gaps of one pixel.",
        r"atrous_conv_(\dx\d)": "A convolution {} with gaps of one pixel.",
        r"nor_conv_(\dx\d)": "A convolution {} with batch normalization.",
        "conv_7x1_1x7": "A convolution along rows, then one along columns.",
        "conv_1x3_3x1": "A grouped convolution along columns, then one along rows.",
        "noise": "Random noise: an edge that keeps it shows a search that fails.",
        "wire": "A plain connection; the node adds up what it reads.",
        r"mbconv_(\dx\d).*": "An inverted bottleneck with a depthwise convolution {}.",
        "tanh": "The hyperbolic tangent.",
        "relu": "Negative values become 0.",
        "sigmoid": "The logistic function, from 0 to 1.",
        r"level_\d": "How often the height and the width have been halved before.",
    }
)


def explained_terms(operations: Iterable[str] = ()) -> dict[str, str]:
    """Returns the terms of a page in lower case, and what they mean.

    Args:
        operations: Names of the operations on the page; unknown ones are left out.

    Example:
        >>> explained_terms(["max_pool_3x3"])["max_pool_3x3"]
        'The largest value of each 3x3 window.'
    """
    return {**TERMS, **{name: text for name in operations if (text := _operation(name))}}


def _operation(name: str) -> str:
    for pattern, text in _OPERATIONS.items():
        if match := re.fullmatch(pattern, name):
            return text.format(*match.groups())
    return ""
