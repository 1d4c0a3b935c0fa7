from models.layers.input_names import component_name, input_of


def test_a_component_belongs_to_its_feature():
    assert component_name("hour_of_day", "sin1") == "hour_of_day/sin1"
    assert [input_of(name) for name in ("age/12", "age", "age_missing")] == ["age", "age", "age_missing"]
