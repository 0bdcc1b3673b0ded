"""What a search may find: the space, genotypes, and the published ones."""
