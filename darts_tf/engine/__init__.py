"""The parts that a search and a training run share: epoch loop, steps, optimizers, checkpoints, devices."""
