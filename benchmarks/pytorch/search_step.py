"""One iteration of a first-order search in PyTorch, as published."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.pytorch.supernet import Searched


class SearchStep:
    """The bilevel step: updates alphas on validation data and weights on training data.

    As published, each half runs the backward pass for weights and alphas, and discards the
    gradients of one of them.

    Args:
        supernet: The supernet, in its final dtype and memory format.
        learning_rate: Learning rate of the weights.
        arch_learning_rate: Learning rate of the alphas.
        grad_clip: Maximum global norm of the weight gradients.
        weight_decay: Factor of the L2 term of the weights.
        nesterov: Whether SGD looks ahead by Nesterov's momentum.
        weights_first: Whether the weights take their step before the alphas.
        keep_gradients: Whether gradients of an earlier step are set to zero, not to None, before a
            pass. A weight then decays in every step once a pass has computed its candidate.
    """

    def __init__(
        self,
        supernet: Searched,
        learning_rate: float = 0.025,
        arch_learning_rate: float = 3e-4,
        grad_clip: float = 5.0,
        weight_decay: float = 3e-4,
        nesterov: bool = False,
        weights_first: bool = False,
        keep_gradients: bool = False,
    ) -> None:
        self.supernet = supernet.train()
        self.grad_clip = grad_clip
        self.weights_first = weights_first
        self.keep_gradients = keep_gradients
        self.weights: list[nn.Parameter] = supernet.weights()
        self.weight_optimizer = torch.optim.SGD(
            self.weights,
            learning_rate,
            momentum=0.9,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )
        self.architecture_optimizer = torch.optim.Adam(
            supernet.architecture_parameters(),
            arch_learning_rate,
            betas=(0.5, 0.999),
            weight_decay=1e-3,
        )

    def __call__(
        self,
        train_images: torch.Tensor,
        train_labels: torch.Tensor,
        valid_images: torch.Tensor,
        valid_labels: torch.Tensor,
    ) -> float:
        """Takes both steps.

        Args:
            train_images: Normalized images, [batch, channels, height, width].
            train_labels: Labels, int64 [batch].
            valid_images: Like `train_images`.
            valid_labels: Like `train_labels`.

        Returns:
            The training loss before the weight step, mean cross-entropy in nats.
        """
        if self.weights_first:
            loss = self._update_weights(train_images, train_labels)
            self._update_architecture(valid_images, valid_labels)
            return loss
        self._update_architecture(valid_images, valid_labels)
        return self._update_weights(train_images, train_labels)

    def _update_architecture(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        self.architecture_optimizer.zero_grad(set_to_none=not self.keep_gradients)
        functional.cross_entropy(self.supernet(images), labels).backward()
        self.architecture_optimizer.step()

    def _update_weights(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        self.weight_optimizer.zero_grad(set_to_none=not self.keep_gradients)
        loss = functional.cross_entropy(self.supernet(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.weights, self.grad_clip)
        self.weight_optimizer.step()
        return loss.item()
