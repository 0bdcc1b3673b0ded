"""Studies that were run here: what is kept of them, and the tables of docs/collapse.md."""
