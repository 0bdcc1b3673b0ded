"""Programs that export a trained model."""
