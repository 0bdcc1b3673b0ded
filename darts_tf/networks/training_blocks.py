"""The operations of a network that trains: the same layers by name, made for speed."""

from dataclasses import dataclass

import keras

from darts_tf.layers.convolutions import Conv2D, DepthwiseConv2D, EvenAndOdd
from darts_tf.layers.drop_path import DropPath
from darts_tf.layers.normalization import BatchNormalization
from darts_tf.layers.phases import is_even
from darts_tf.networks.blocks import Blocks, Tensor


@dataclass(frozen=True)
class TrainingBlocks(Blocks):
    """Makes the blocks of a network to train.

    Args:
        drop_path: Whether operations other than identities end in a `DropPath`.
        synchronized: Whether replicas share the statistics of normalisation.
        dtype: The layers' dtype or policy.
    """

    conv_kind: type[keras.layers.Layer] = Conv2D
    depthwise_kind: type[keras.layers.Layer] = DepthwiseConv2D
    drop_path: bool = False
    synchronized: bool = False

    def norm(self, x: Tensor, name: str) -> Tensor:
        """Batch normalisation with scale and offset."""
        return BatchNormalization(synchronized=self.synchronized, dtype=self.dtype, name=name)(x)

    def even_and_odd(self, x: Tensor, name: str) -> list[Tensor]:
        """Every second row and column, from the first and from the second."""
        if not is_even(*x.shape[1:3]):
            return super().even_and_odd(x, name)
        return EvenAndOdd(dtype=self.dtype, name=f"{name}_even_and_odd")(x)

    def dropped(self, x: Tensor, name: str) -> Tensor:
        """The operation's result after drop path."""
        if not self.drop_path:
            return x
        return DropPath(dtype=self.dtype, name=f"{name}_drop_path")(x)
