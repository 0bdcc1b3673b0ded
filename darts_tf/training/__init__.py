"""Training of the network that a genotype describes, and its evaluation."""
