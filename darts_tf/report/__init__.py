"""The page of a run, `report.html`, made from a run directory alone, never from a live model."""

from darts_tf.report.writing import refresh, write_comparison, write_report

__all__ = ["refresh", "write_comparison", "write_report"]
