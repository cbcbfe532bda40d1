import itertools

import pytest

from hypervision.domains import load as load_domains
from hypervision.topics import THING
from simulators.scenario import load
from simulators.simulation import Simulation
from simulators.town import build_town, map_geojson
from simulators.town.assets import ORGANISATIONS
from simulators.town.geometry import hatch, inside
from simulators.town.plan import DISTRICTS


@pytest.mark.parametrize("things", [100, 300, 1_000])
def test_town_has_about_as_many_things_as_asked(things):
    town = build_town(things)
    assert abs(len(town.assets) - things) <= 3
    codes = [asset.code for asset in town.assets]
    assert len(set(codes)) == len(codes)
    assert all(THING.fullmatch(code) for code in codes)


def test_parents_come_before_their_children_and_places_are_in_the_town():
    seen = set()
    for asset in build_town(300).assets:
        assert asset.parent is None or asset.parent in seen
        seen.add(asset.code)
        assert asset.organisation in ORGANISATIONS
        assert 48.83 < asset.latitude < 48.90
        assert -0.66 < asset.longitude < -0.55


def test_town_is_drawn_the_same_every_time():
    assert map_geojson() == map_geojson()
    assert build_town(300) == build_town(300)


def test_map_has_every_layer_with_closed_rings():
    features = map_geojson()["features"]
    assert {f["properties"]["layer"] for f in features} == {"street", "district", "river", "park", "pipe"}
    for feature in features:
        geometry = feature["geometry"]
        assert feature["properties"]["name"] is not None
        if geometry["type"] == "Polygon":
            ring = geometry["coordinates"][0]
            assert ring[0] == ring[-1]
            assert len(ring) >= 4
        else:
            assert len(geometry["coordinates"]) >= 2


def test_streets_stay_within_their_district():
    for district, bearing in itertools.product(DISTRICTS, (0.0, 33.0)):
        lines = hatch(district.outline, bearing=bearing, spacing=1.0, shortest=1.0)
        assert lines
        for (x1, y1), (x2, y2) in lines:
            assert inside(((x1 + x2) / 2, (y1 + y2) / 2), district.outline)


def test_every_datastream_is_a_property_of_its_domain():
    catalogue = load_domains()
    simulation = Simulation(load("town", anchor_us=0), origin_us=0, horizon_us=1)
    assert len(simulation.streams) > 800
    for stream in simulation.streams:
        found = catalogue.find(stream.domain, stream.name)
        assert found is not None, stream
        assert not found.derived
