"""The relaxations of search methods other than DARTS, one file each."""
