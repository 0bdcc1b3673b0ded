"""One training step, and inference, of an evaluation network in PyTorch."""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.pytorch.network import Network


class TrainingStep:
    """A step of SGD with momentum on the cross-entropy, with that of the auxiliary head.

    Args:
        network: The network, in its final dtype and memory format.
        auxiliary_weight: Weight of the loss of the auxiliary head, if there is one.
        learning_rate: Learning rate.
        grad_clip: Maximum global norm of the gradients.
    """

    def __init__(
        self,
        network: Network,
        auxiliary_weight: float = 0.4,
        learning_rate: float = 0.025,
        grad_clip: float = 5.0,
    ) -> None:
        self.network = network.train()
        self.auxiliary_weight = auxiliary_weight
        self.grad_clip = grad_clip
        self.optimizer = torch.optim.SGD(
            network.parameters(), learning_rate, momentum=0.9, weight_decay=3e-4
        )

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Takes the step.

        Args:
            images: Normalized images, [batch, channels, height, width].
            labels: Labels, int64 [batch].

        Returns:
            The loss before the step in nats, including that of the auxiliary head.
        """
        self.optimizer.zero_grad()
        logits, auxiliary = self.network(images)
        loss = functional.cross_entropy(logits, labels)
        if auxiliary is not None:
            loss = loss + self.auxiliary_weight * functional.cross_entropy(auxiliary, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.grad_clip)
        self.optimizer.step()
        return loss.item()


class Inference:
    """Inference with a network, without gradients.

    Args:
        network: The network, in its final dtype and memory format.
    """

    def __init__(self, network: Network) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Returns logits [batch, classes] of normalized images [batch, channels, height, width]."""
        return self.network(images)[0]
