"""What papers tell, in their own numbers."""
