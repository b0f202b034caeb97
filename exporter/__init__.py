"""studio-exporter: a studio's pipelines as Prometheus metrics."""

__version__ = "0.1.0"
