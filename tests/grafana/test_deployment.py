"""What is started together fits together: files that are mounted exist, names and ports agree."""

from collections.abc import Iterator
from typing import Any

from grafana.generate.thresholds import GRAFANA, read
from tests.grafana.rules import loaded

COMPOSE = loaded(GRAFANA / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROMETHEUS = loaded(GRAFANA / "prometheus.yml")


def mounts() -> Iterator[tuple[str, str, str]]:
    """Service, what is mounted, and where."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            here, there, *_ = volume.split(":")
            yield name, here, there


def mounted(service: str) -> dict[str, str]:
    return {there: here for name, here, there in mounts() if name == service}


def test_what_is_mounted_is_there() -> None:
    for _, here, _ in mounts():
        assert here in COMPOSE["volumes"] or (GRAFANA / here).exists(), here


def test_images_are_pinned_and_only_this_machine_is_listened_to() -> None:
    for name, service in SERVICES.items():
        assert "build" in service or service["image"].rsplit(":", 1)[1][0] in "v123456789", name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name


def test_prometheus_scrapes_the_exporter_under_the_job_the_rules_ask_for() -> None:
    (job,) = PROMETHEUS["scrape_configs"]
    assert job["job_name"] == read().job
    (target,) = job["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert host in SERVICES
    assert f"--web.listen-address=0.0.0.0:{port}" in SERVICES[host]["command"]


def test_alerts_go_to_the_alertmanager() -> None:
    (target,) = PROMETHEUS["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert target.split(":")[0] in SERVICES
    assert mounted("alertmanager")["/etc/alertmanager/alertmanager.yml"] == "./alertmanager/alertmanager.yml"


def test_rules_and_configuration_stand_beside_each_other_as_here() -> None:
    """`rule_files` is relative to the configuration, on a machine with promtool and in the container."""
    there = mounted("prometheus")
    assert there["/etc/prometheus/prometheus.yml"] == "./prometheus.yml"
    assert there["/etc/prometheus/rules"] == "./rules"
    assert PROMETHEUS["rule_files"] == ["rules/*.yaml"]


def test_grafana_finds_its_data_and_its_dashboards() -> None:
    (source,) = loaded(GRAFANA / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["type"] == "prometheus"
    (folder,) = loaded(GRAFANA / "provisioning" / "dashboards" / "studio.yaml")["providers"]
    there = mounted("grafana")
    assert there[folder["options"]["path"]] == "./dashboards"
    assert there["/etc/grafana/provisioning"] == "./provisioning"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (GRAFANA / "dashboards" / home.rsplit("/", 1)[1]).is_file()
    assert read().links.grafana == "http://localhost:3000"
