"""DARTS in PyTorch, written from its definition, one module after another: a peer to time."""
