"""This library, set up as in the programs, to be timed."""
