"""One iteration of the first-order search in PyTorch, as published."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.pytorch.supernet import Supernet


class SearchStep:
    """The bilevel step: updates alphas on validation data, then weights on training data.

    As published, each half runs the backward pass for weights and alphas, and discards the
    gradients of one of them.

    Args:
        supernet: The supernet, in its final dtype and memory format.
        learning_rate: Learning rate of the weights.
        arch_learning_rate: Learning rate of the alphas.
        grad_clip: Maximum global norm of the weight gradients.
    """

    def __init__(
        self,
        supernet: Supernet,
        learning_rate: float = 0.025,
        arch_learning_rate: float = 3e-4,
        grad_clip: float = 5.0,
    ) -> None:
        self.supernet = supernet.train()
        self.grad_clip = grad_clip
        self.weights: list[nn.Parameter] = supernet.weights()
        self.weight_optimizer = torch.optim.SGD(
            self.weights, learning_rate, momentum=0.9, weight_decay=3e-4
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
        self.architecture_optimizer.zero_grad()
        functional.cross_entropy(self.supernet(valid_images), valid_labels).backward()
        self.architecture_optimizer.step()

        self.weight_optimizer.zero_grad()
        loss = functional.cross_entropy(self.supernet(train_images), train_labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.weights, self.grad_clip)
        self.weight_optimizer.step()
        return loss.item()
