"""Makes rules, tables, the headers of runbooks, and dashboards of what `grafana/thresholds.yaml` says."""
