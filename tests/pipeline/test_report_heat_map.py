"""The heat maps."""

from pipeline.report_heat_map import affinity_heat_map, gate_heat_map


def test_the_gates_of_every_task_are_drawn():
    heat = gate_heat_map({"click": [0.75, 0.25], "訂單": [0.5, 0.5]})
    assert all(f">{text}</text>" in heat for text in ("click", "訂單", "0.75", "0.25", "0.50", "expert"))


def test_affinities_have_a_power_of_ten_of_the_pairs_and_an_unmeasured_pair_is_empty():
    heat = affinity_heat_map({"click": {"click": 5e-3, "cart": -2.5e-4}, "cart": {"cart": 1e-3}})
    assert all(f">{text}</text>" in heat for text in ("click", "cart", "50.00", "\N{MINUS SIGN}2.50", "10.00"))
    assert "affinity onto, 1e-4" in heat and heat.count("<path") < gate_heat_map(
        {"a": [1.0] * 2, "b": [1.0] * 2}
    ).count("<path")
    assert "1e0" in affinity_heat_map({"a": {"a": 0.0}}), "nothing but zeros"
