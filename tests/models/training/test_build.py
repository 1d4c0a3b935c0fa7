"""What is made of a plan: which part gets which task, and what is refused before the first stage."""

import pytest

from models.balancing.pcgrad import PCGrad
from models.features.layout import FeatureLayout
from models.recipe.errors import InputError
from models.recipe.model import Training
from models.training.build import build_model, check_methods
from models.training.plan import TaskPlan, TrainerPlan

LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("a", "b"))
BINARY = {"kind": "binary", "loss": "binary_crossentropy"}


def plan_of(**about):
    return TrainerPlan(
        **{
            "architecture": "mmoe",
            "options": {"experts": 2, "units": (4,), "tower_units": ()},
            "balancer": "pcgrad",
            "balancer_options": {},
            "regularizers": {},
            "training": Training(),
            "probe_requests": 1,
            "inputs": {},
            **about,
        }
    )


def test_adversarial_tasks_are_neither_the_architecture_s_nor_the_balancer_s():
    tasks = {
        "device": TaskPlan(**BINARY, weight=0.5, served=False, adversarial=True),
        "click": TaskPlan(**BINARY, weight=1.0),
        "amount": TaskPlan(
            kind="regression", loss="zero_inflated_lognormal", weight=0.3, served=False, adversarial=True
        ),
        "order": TaskPlan(**BINARY, weight=2.0, after="device", conditional=True),
    }
    model = build_model(plan_of(tasks=tasks), LAYOUT)
    model.build()
    assert model.tasks == ("device", "click", "amount", "order")
    assert model.architecture.names == model.balancer.tasks == ("click", "order")
    assert isinstance(model.balancer, PCGrad)
    assert model.balancer.task_weights == (1.0, 2.0)
    assert model.architecture.tasks[1].after is None
    assert model.adversaries is not None
    assert model.adversaries.factors == (("device", 0.5), ("amount", 0.3))
    assert model.adversaries.outputs == (("device", 1), ("amount", 3))
    assert model.architecture.represents


def test_options_of_a_loss_decide_how_many_logits_a_task_has():
    grades = {"grades": [0.0, 1.0, 2.0]}
    tasks = {
        "stars": TaskPlan(kind="regression", loss="ordinal", loss_options=grades, weight=1.0),
        "click": TaskPlan(**BINARY, weight=1.0, loss_options={"label_smoothing": 0.1}),
        "rating": TaskPlan(kind="regression", loss="ordinal", weight=0.3, served=False, adversarial=True),
    }
    model = build_model(plan_of(tasks=tasks), LAYOUT)
    assert [task.outputs for task in model.architecture.tasks] == [2, 1]
    assert model.adversaries is not None and model.adversaries.outputs == (("rating", 4),)
    assert [loss.outputs for loss in model.loss_functions] == [2, 1, 4]
    assert model.loss_functions[1].label_smoothing == 0.1


def test_without_a_reader_there_is_no_representation():
    model = build_model(plan_of(tasks={"click": TaskPlan(**BINARY, weight=1.0)}), LAYOUT)
    assert model.adversaries is None
    assert not model.architecture.represents


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"options": {"experts": 2, "gate": "top_k", "k": 3}}, "k"),
        ({"architecture": "home", "options": {"groups": (("click",),)}}, "order"),
        ({"architecture": "low_supervision", "options": {"level": {"order": 9}}}, "level"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_first_stage(about, message):
    tasks = {name: TaskPlan(**BINARY, weight=1.0) for name in ("click", "order")}
    with pytest.raises(InputError, match=message):
        check_methods(plan_of(tasks=tasks, **about))
