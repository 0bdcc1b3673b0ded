"""The networks that genotypes describe."""
