"""Pictures of cells and of architecture parameters: SVG, PNG, text."""
