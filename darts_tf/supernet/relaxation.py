"""The continuous relaxation: architecture parameters, and the edge weights made from them."""

from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from darts_tf.spaces.darts import DARTS
from darts_tf.spaces.derivation import softmax
from darts_tf.spaces.genotype import CELLS
from darts_tf.spaces.search_space import SearchSpace


@keras.saving.register_keras_serializable(package="darts_tf")
class Relaxation(keras.layers.Layer):
    """Owns the architecture parameters (alphas) of all cells, one table a cell type.

    Where stages have cells of their own, these are types of their own too. Alphas start at 1e-3
    times a standard normal variable, as in DARTS.

    Args:
        search_space: The search space, or its fields as a dictionary.
        cells: The cell types.
    """

    def __init__(
        self,
        search_space: SearchSpace | dict[str, Any] = DARTS,
        cells: tuple[str, ...] = CELLS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.search_space = SearchSpace.of(search_space)
        self.cells = tuple(cells)
        self.alphas: dict[str, Any] = {}

    def build(self) -> None:
        """Creates the alphas, [edges, candidates] for each cell type."""
        shape = (len(self.search_space.edges("normal")), len(self.search_space.candidates))
        for cell in self.cells:
            self.alphas[cell] = self.add_weight(
                shape=shape,
                initializer=keras.initializers.RandomNormal(stddev=1e-3),
                autocast=False,
                name=f"alphas_{cell}",
            )
        self.built = True

    def call(self) -> dict[str, tf.Tensor]:
        """Returns the edge weights of each cell type, [edges, candidates] (DARTS, equation 2)."""
        return {cell: tf.nn.softmax(alphas.value) for cell, alphas in self.alphas.items()}

    def architecture_parameters(self) -> dict[str, np.ndarray]:
        """Returns the alphas of each cell type as arrays, [edges, candidates]."""
        return {cell: alphas.numpy() for cell, alphas in self.alphas.items()}

    def strengths(self) -> dict[str, np.ndarray]:
        """Returns for each cell type what a genotype is derived from, [edges, candidates]."""
        return softmax(self.architecture_parameters())

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "search_space": asdict(self.search_space),
            "cells": self.cells,
        }
