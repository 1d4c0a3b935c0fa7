"""Which task moves which variable, against what each architecture's picture says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures import ARCHITECTURES
from models.architectures.base import Architecture
from models.architectures.encoded import Encoded
from models.backbones.dcn_v2 import DCNv2
from models.backbones.none import NoBackbone
from models.recipe.registry import load
from models.training.sharing import moved_by_tasks, positions_over

TASKS = ("click", "click_cart", "cart")
SHAPES = Encoded((None, 5), by_task=((None, 5),) * 3)


def of_layers(*layers):
    return [variable for layer in layers for variable in layer.trainable_variables]


def of_ple(made):
    """All below the top but the task gates of the level under it, and the shared experts of the top: a task's experts
    reach the others by the shared gate of their level, what its gates mix by its experts of the next level."""
    layers = []
    for below, level in enumerate(reversed(made.extraction)):
        layers.append(level.experts[-1])
        layers += [*level.experts[:-1], level.shared_gate] if below >= 1 else []
        layers += level.task_gates if below >= 2 else []
    return of_layers(*layers)


def of_adatt(made):
    """All but the gates and the weights of the own experts of the top level: those below reach all tasks by its experts."""
    own = {variable.path for variable in of_layers(*made.fusion[-1].task_gates) + made.fusion[-1].native}
    return [variable for variable in of_layers(*made.fusion) if variable.path not in own]


BY_HAND = {
    "single_task": lambda made: [],
    "shared_bottom": lambda made: of_layers(made.bottom),
    "mmoe": lambda made: of_layers(made.shared),
    "ple": of_ple,
    "soft_sharing": lambda made: [],
    "cross_stitch": lambda made: of_layers(
        *made.networks, *made.stitches
    ),  # a task's last layers are mixed into others
    "stem": lambda made: of_layers(made.experts[-1]),
    "omoe": lambda made: of_layers(made.shared, made.gate),
    "adatt": of_adatt,
    "home": lambda made: of_layers(made.meta, *made.meta_gates, *made.meta_self_gates, *made.of_groups, made.shared),
    "sluice": lambda made: of_layers(*made.stack, *made.stitches),
    "snr": lambda made: of_layers(*made.levels, *made.between),
    "mtan": lambda made: of_layers(*made.shared),
    "ltb": lambda made: of_layers(*made.levels, *made.parents),
    "dbmtl": lambda made: of_layers(made.shared),  # no task follows another
    "resflow": lambda made: [],
    "joint_many_task": lambda made: of_layers(*made.labels[:-1], *made.shortcuts[:-1], *made.lifts[:-1]),
    "low_supervision": lambda made: of_layers(*made.shared),
    "pepnet": lambda made: of_layers(made.embedding_gate, *(gate.hidden for gate in made.layer_gates)),
    "poso": lambda made: of_layers(made.gate_hidden, made.gate, made.shared),
    "task_conditioned": lambda made: [*made.scales, *made.shifts, *of_layers(*made.layers)],
    "deep_relationship": lambda made: of_layers(made.bottom),
    "fully_adaptive": lambda made: of_layers(*made.levels),
}


def make(name, tasks=TASKS, **options):
    architecture = load(ARCHITECTURES[name])(binary(*tasks), **options)
    architecture.build(SHAPES)
    return architecture


def no_backbone():
    backbone = NoBackbone()
    backbone.build((None, 5))
    return backbone


def positions(over, architecture):
    return positions_over(over, no_backbone(), architecture, SHAPES)


def paths(architecture, over):
    """The variables' paths, without the architecture's own name."""
    variables = architecture.trainable_variables
    return [variables[i].path.partition("/")[2] for i in positions(over, architecture)]


@pytest.mark.parametrize("tasks", [TASKS, TASKS[:1]])
@pytest.mark.parametrize("options", [{}, {"dropout": 0.5, "dtype": "mixed_bfloat16"}])
@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_shared_is_what_the_architectures_say(name, options, tasks):
    architecture = make(name, tasks, **options)
    variables = architecture.trainable_variables
    shared = {variables[i].path for i in positions("shared", architecture)}
    assert shared == ({variable.path for variable in BY_HAND[name](architecture)} if len(tasks) > 1 else set())


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_levels_of_ple(levels):
    architecture = make("ple", levels=levels)
    variables = architecture.trainable_variables
    shared = {variables[i].path for i in positions("shared", architecture)}
    assert shared == {variable.path for variable in of_ple(architecture)}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("shared_bottom", {"units": (8, 4)}, lambda made: made.bottom.trainable_variables[2:]),
        ("shared_bottom", {"units": ()}, lambda made: []),
        ("mmoe", {"units": (8, 4)}, lambda made: made.shared.stack[1].trainable_variables),
        ("ple", {"units": (8, 4)}, lambda made: made.extraction[1].experts[-1].stack[1].trainable_variables),
        ("cross_stitch", {"units": (8, 4)}, lambda made: made.stitches[1].trainable_variables),
        ("omoe", {"units": (8, 4)}, lambda made: made.shared.stack[1].trainable_variables),
        ("adatt", {"units": (8, 4)}, lambda made: made.fusion[1].experts.stack[1].trainable_variables),
        ("joint_many_task", {}, lambda made: made.lifts[0].trainable_variables),
        ("low_supervision", {"units": (8, 4)}, lambda made: made.shared[1].trainable_variables),
        ("single_task", {}, lambda made: []),
        ("soft_sharing", {}, lambda made: []),
    ],
)
def test_the_last_shared_layer(name, options, expected):
    made = make(name, **options)
    assert paths(made, "last_shared") == [variable.path.partition("/")[2] for variable in expected(made)]


def test_the_matrix_by_hand():
    class Odd(Architecture):
        """One weight for each way in which a task can reach a variable, or not."""

        def build(self, input_shape):
            names = ("both", "only_a", "stopped", "penalty", "zero")
            self.each = [self.add_weight(shape=(), initializer="zeros", name=name) for name in names]
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, inputs, training=None):
            both, only_a, stopped, penalty, zero = (variable.value for variable in self.each)
            self.add_loss(penalty * penalty)
            x = keras.ops.sum(inputs.x, axis=1)
            noise = keras.random.uniform((), seed=self.seed_generator) if training else 0.0
            return {
                "a": x * both + only_a + keras.ops.stop_gradient(stopped),
                "b": keras.ops.relu(x * both - 1.0) + zero * noise * 0.0,  # the values of these gradients are 0
            }

    odd = Odd(binary("a", "b"))
    odd.build(SHAPES)
    before = [np.array(variable) for variable in odd.variables]
    assert moved_by_tasks(no_backbone(), odd, Encoded(tf.zeros((1, 5)))).astype(int).tolist() == [
        [1, 1, 0, 0, 0],
        [1, 0, 0, 0, 1],
    ]
    assert odd.losses == []
    for variable, old in zip(odd.variables, before, strict=True):
        np.testing.assert_array_equal(variable, old)


def test_no_gradients_wanted_no_trace():
    class Untraceable:
        pass

    assert positions_over(None, Untraceable(), Untraceable(), SHAPES) == ()


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_all_tasks_share_a_backbone(dtype):
    backbone, made = DCNv2(layers=2, dtype=dtype), make("single_task")
    backbone.build((None, 5))
    found = positions_over("shared", backbone, made, SHAPES)
    assert found == tuple(range(len(backbone.trainable_variables)))
    assert positions("shared", made) == ()
