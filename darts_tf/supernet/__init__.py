"""The supernet of a search: operations, cells and the relaxation."""
