"""DARTS in PyTorch, written from its definition without optimizations, to compare with."""
