"""What a search and a training share: steps, optimizers, and the loop."""
