"""The catalogue page: every metric, by domain."""

from tests.fakes import gauge
from tests.web.examples import CATALOGUE, Example, Seen, asking


async def test_every_metric_with_its_type_labels_and_help() -> None:
    odd = gauge("studio_odd_things", ("a<b>",))
    async with asking(Example().served(catalogue={**CATALOGUE, "odd": (odd,)})) as client:
        page = Seen(await (await client.get("/catalogue")).text())
    everything = [family for families in CATALOGUE.values() for family in families]
    assert f"{len(everything) + 1} metrics" in page.text
    for family in everything:
        labels = "".join(f"{label} " for label in (*(() if family.of_exporter else ("source",)), *family.labels))
        assert f"{family.name}{family.type}{labels}{family.help}" in page.text
    assert "studio_odd_thingsgaugesource a<b> About." in page.text
    assert "b" not in {name for name, _ in page.elements}


async def test_domains_are_linked() -> None:
    async with asking(Example().served(catalogue=CATALOGUE)) as client:
        page = Seen(await (await client.get("/catalogue")).text())
    targets = {attributes["id"] for name, attributes in page.elements if name == "h2"}
    assert targets == set(CATALOGUE)
    assert {f"#{target}" for target in targets} <= {each.get("href") for _, each in page.elements}
