"""Pictures of the dashboards, drawn with Grafana's own UI components where there is no Grafana."""
