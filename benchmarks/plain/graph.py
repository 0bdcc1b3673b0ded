"""The first-order search as a plain TensorFlow graph without shared computation.

Every edge computes its own ReLUs, pooling and batch normalization and multiplies each result by its
weight; `none`, whose output is zero, is omitted.
"""

import keras
import tensorflow as tf

from benchmarks.plain.operations import Operations
from darts_tf.engine.optimizers import SGD, Adam
from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.genotype import CELLS
from darts_tf.spaces.operations import NONE
from darts_tf.spaces.search_space import SearchSpace
from darts_tf.spaces.stems import STEMS
from darts_tf.supernet.model import Supernet


class PlainSearchStep:
    """The supernet and its bilevel step, compiled at the first call for each batch shape.

    Args:
        layers: Number of cells, at least 3.
        init_channels: Channels of a node in the first cell.
        classes: Number of classes.
        image_shape: Height, width and channels of an image.
        grad_clip: Maximum global norm of the weight gradients.
        dtype: float32, or float64 for comparisons.
        space: The search space, of cells wired as DARTS's.
    """

    def __init__(
        self,
        layers: int = 8,
        init_channels: int = 16,
        classes: int = 10,
        image_shape: tuple[int, int, int] = (32, 32, 3),
        grad_clip: float = 5.0,
        dtype: str = "float32",
        space: SearchSpace = DARTS,
    ) -> None:
        self.space = space
        self.layers = layers
        self.init_channels = init_channels
        self.classes = classes
        self.operations = Operations(dtype)
        shape = (len(self.space.edges("normal")), len(self.space.candidates))
        normal = keras.initializers.RandomNormal(stddev=1e-3)
        self.alphas = {
            cell: keras.Variable(normal, shape=shape, dtype=dtype, name=cell) for cell in CELLS
        }
        self.logits(tf.zeros((1, *image_shape), dtype))
        self.weight_variables = self.operations.weights  # in the order of Supernet's
        self.weight_optimizer = SGD(0.025, 0.9, l2=3e-4, clip=grad_clip)
        self.architecture_optimizer = Adam(3e-4, l2=1e-3)
        self.weight_optimizer.build(self.weight_variables)
        self.architecture_optimizer.build(list(self.alphas.values()))
        self._step = tf.function(self.iteration, autograph=False)

    def copy(self, supernet: Supernet) -> None:
        """Copies the weights and the alphas, but not the running averages, of a supernet.

        Raises:
            ValueError: If the weights of the supernet have other shapes.
        """
        shapes = [tuple(variable.shape) for variable in supernet.weight_variables]
        if shapes != [tuple(variable.shape) for variable in self.weight_variables]:
            raise ValueError(
                "expected a supernet with the same layers, channels and classes, got other weights"
            )
        for ours, theirs in zip(self.weight_variables, supernet.weight_variables, strict=True):
            ours.assign(theirs)
        for cell, table in self.alphas.items():
            table.assign(supernet.relaxation.alphas[cell])

    def __call__(
        self,
        train_images: tf.Tensor,
        train_labels: tf.Tensor,
        valid_images: tf.Tensor,
        valid_labels: tf.Tensor,
    ) -> tf.Tensor:
        """Updates the alphas on validation data, then the weights on training data.

        Args:
            train_images: Normalized images, [batch, height, width, channels].
            train_labels: Labels, integers [batch].
            valid_images: Like `train_images`.
            valid_labels: Like `train_labels`.

        Returns:
            The training loss before the weight step, mean cross-entropy in nats, a scalar.
        """
        return self._step(train_images, train_labels, valid_images, valid_labels)

    def iteration(self, *batches: tf.Tensor) -> tf.Tensor:
        """Runs the step eagerly; same arguments and return value as a call."""
        train_images, train_labels, valid_images, valid_labels = batches
        alphas = [variable.value for variable in self.alphas.values()]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(alphas)
            loss = self.loss(valid_images, valid_labels)
        self.architecture_optimizer.apply(tape.gradient(loss, alphas))

        weights = [variable.value for variable in self.weight_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            loss = self.loss(train_images, train_labels)
        self.weight_optimizer.apply(tape.gradient(loss, weights))
        return loss

    def loss(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Returns the mean cross-entropy of a batch in nats, in training mode."""
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, self.logits(images))
        )

    def logits(self, images: tf.Tensor) -> tf.Tensor:
        """Returns logits [batch, classes] of images [batch, height, width, channels]."""
        self.operations.begin()
        (width,) = STEMS["cifar"].supernet_widths(self.init_channels)
        x = self.operations.conv(images, 3, width)
        before_previous = previous = self.operations.normalize(x, affine=True)
        halved = False
        for cell, reduction, multiple, _ in self.space.macro(self.layers):
            channels = multiple * self.init_channels
            weights = tf.nn.softmax(self.alphas[cell].value)
            output = self._cell(before_previous, previous, weights, channels, reduction, halved)
            before_previous, previous, halved = previous, output, reduction
        return self.operations.dense(tf.reduce_mean(previous, (1, 2)), self.classes)

    def _cell(
        self,
        before_previous: tf.Tensor,
        previous: tf.Tensor,
        weights: tf.Tensor,
        channels: int,
        reduction: bool,
        halved: bool,
    ) -> tf.Tensor:
        do = self.operations
        first = do.factorized_reduce if halved else do.relu_conv_bn
        nodes = [first(before_previous, channels), do.relu_conv_bn(previous, channels)]
        for number, (source, target, _) in enumerate(self.space.edges("normal")):
            stride = 2 if reduction and source < 2 else 1
            terms = [
                weights[number, column] * do.candidate(name, nodes[source], stride)
                for column, name in enumerate(self.space.candidates)
                if name != NONE
            ]
            edge = tf.add_n(terms)
            if target == len(nodes):
                nodes.append(edge)
            else:
                nodes[target] += edge
        return tf.concat(nodes[2:], -1)
