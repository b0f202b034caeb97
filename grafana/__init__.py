"""What goes with the exporter into Grafana, Prometheus and Alertmanager, and how it is made."""
