"""The tables of districts and roads."""

from muniment.demo.places import DISTRICTS, ROADS


def test_districts_have_a_postcode_of_their_own_and_an_area_code():
    assert len({place.postcode for place in DISTRICTS}) == len(DISTRICTS) == 72
    assert all(place.area.startswith("0") and place.postcode.isdigit() and place.residents > 0 for place in DISTRICTS)
    assert {"臺北市", "臺中市", "臺南市", "臺東縣"} <= {place.city_zh for place in DISTRICTS}
    assert not any("_" in place.en for place in DISTRICTS)


def test_every_road_has_a_type_that_carriers_know():
    assert len(dict(ROADS)) == len(ROADS)
    types = {"路": "Road", "街": "Street", "道": ("Avenue", "Boulevard")}
    assert all(en.endswith(types[zh[-1]]) for zh, en in ROADS)
