"""The charts."""

from pipeline.report_charts import method_curves, rows_by_day, training_curves
from tests.doubles.full_report import EPOCHS


def test_charts_take_the_ink_of_the_page_and_draw_every_task():
    curves = training_curves(EPOCHS, 2)
    assert curves.startswith("<svg role=") and "currentColor" in curves and ">click</text>" in curves
    assert "xmlns" not in curves and "<metadata" not in curves
    days = rows_by_day({"view": {"2026-01-05": 7, "2026-01-07": 1200}, "訂單": {"2026-01-06": 3}}, 24)
    assert all(f">{text}</text>" in days for text in ("view", "訂單", "1,200", "3", "2026-01-05", "2026-01-07"))
    hours = rows_by_day({"view": {"2026-01-05T22:00Z": 7, "2026-01-06T01:00Z": 9}}, 1)
    assert ">05 22h</text>" in hours and ">06 01h</text>" in hours
    assert "all tasks" in training_curves([{"epoch": 1, "loss": 1.0}], None)


def test_what_the_methods_did_is_drawn_where_the_history_has_it():
    assert method_curves(EPOCHS) == ""
    epochs = [
        {"epoch": 1, "weight_of_click": 1.0, "cosine_of_click_and_cart": -0.2},
        {"epoch": 2, "weight_of_click": 0.5},
    ]
    only_weights = method_curves(epochs)
    assert ">weight of the task</text>" in only_weights and ">click</text>" in only_weights
    assert "cosine" not in only_weights
    both = method_curves(epochs[:1])
    assert ">cosine of two gradients</text>" in both and ">click, cart</text>" in both
    share = method_curves([{"epoch": 1, "effective_share_of_order": 0.4}])
    assert ">effective share of examples</text>" in share and ">order</text>" in share
