"""Studies: what stopping is worth, by replays of recorded searches and over many of them."""
