"""The parts that searches and training runs share: the epoch loop, steps, checkpoints, devices."""
