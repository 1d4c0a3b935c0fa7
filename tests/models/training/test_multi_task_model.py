import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures import ARCHITECTURES
from models.architectures.task_info import TaskInfo
from models.balancing import BALANCERS
from models.balancing.base import Weighting
from models.balancing.pcgrad import project
from models.embedding_optimizers.lazy_adam import LazyAdam
from models.embedding_optimizers.sgd import SGD
from models.layers.feature_encoder import FeatureEncoder
from models.losses import LOSSES
from models.losses.task_loss import task_loss
from models.recipe.errors import InputError
from models.recipe.registry import load, signature
from models.regularizers.frequency_l2 import FrequencyL2
from models.regularizers.l2 import L2
from models.training.multi_task_model import MultiTaskModel

TASKS = ("click", "click_cart", "amount")
KINDS = ("binary_crossentropy", "binary_crossentropy", "squared_error")
WEIGHTS = (1.0, 2.0, 0.5)
TYPES = ("fixed", "uncertainty", "gradnorm", "pcgrad")
"""Balancers without and with variables, gradients and a combination of them. The contract of the table has the others."""
MOST = max(len(ARCHITECTURES), len(BALANCERS))
# Each row of either table at least once.
PAIRS = list(itertools.islice(zip(itertools.cycle(ARCHITECTURES), itertools.cycle(BALANCERS), strict=True), MOST))


def data(rows=32, seed=0, tasks=3):
    """Features, labels that depend on them, and weights with a third of the rows masked by NaN labels."""
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(rows, 3)).astype("float32")
    ids = rng.integers(0, 6, (rows, 2)).astype("int32")
    labels = np.stack([numeric[:, 0] > 0, ids[:, 0] > 2, numeric[:, 1] - numeric[:, 2]], axis=1).astype("float32")
    weights = (rng.random((rows, 3)) < 0.67).astype("float32")
    features = {"categorical": ids, "numeric": numeric}
    return features, np.where(weights > 0, labels, np.nan)[:, :tasks], weights[:, :tasks]


def make(
    architecture="mmoe",
    balancer="fixed",
    tasks=3,
    *,
    seed=1,
    regularizers=(),
    optimizer=None,
    tables=None,
    clip_norm=None,
    **options,
):
    keras.utils.set_random_seed(seed)
    compiling = {key: options.pop(key) for key in ("jit_compile", "steps_per_execution") if key in options}
    small = {"experts": 2, "task_experts": 1, "shared_experts": 1, "units": (4,), "tower_units": (3,)}
    known = signature(ARCHITECTURES[architecture])
    options = {**{key: value for key, value in small.items() if key in known}, **options}
    network = load(ARCHITECTURES[architecture])(binary(*TASKS)[:tasks], **options)
    copies = 1 + tasks if network.wants().tables_by_task else 1
    model = MultiTaskModel(
        FeatureEncoder({"item": (6, 2)}, {"item": "item", "last": "item"}, numeric=("a", "b", "c"), copies=copies),
        network,
        (load(BALANCERS[balancer]) if isinstance(balancer, str) else balancer)(TASKS[:tasks], WEIGHTS[:tasks]),
        dict(zip(TASKS[:tasks], KINDS, strict=False)),
        regularizers,
        tables or SGD(learning_rate=0.1),
        clip_norm,
    )
    model.build()
    model.compile(optimizer or keras.optimizers.SGD(0.1), run_eagerly=not compiling, **compiling)
    # A step that makes no variables is traced once, not twice.
    model.optimizer.build(model.trainable_variables)
    return model


def step(model, batch):
    return model.train_on_batch(*batch, return_dict=True)


def copies(variables):
    return [np.array(v.numpy()) for v in variables]


def assert_near(one, other, rtol=1e-4, atol=1e-5):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def everything(model):
    """What training moves: the dense variables and the tables."""
    return [*model.trainable_variables, *model.encoder.embeddings]


def by_hand(model, batch):
    """Gradients of each task's loss for all that training moves, written out with nothing of the training step."""
    features, labels, weights = batch
    variables = everything(model)
    gradients = []
    for i, task in enumerate(model.tasks):
        rows = weights[:, i] > 0
        with tf.GradientTape() as tape:
            tape.watch([table.value for table in model.encoder.embeddings])
            logits = tf.boolean_mask(model(features)[task], rows)
            y = labels[rows, i]
            if KINDS[i] == "squared_error":
                loss = tf.reduce_mean((logits - y) ** 2)
            else:
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits))
        gradient = tape.gradient(loss, variables)
        gradients.append(
            [
                tf.convert_to_tensor(tf.zeros(v.shape) if g is None else g).numpy()
                for v, g in zip(variables, gradient, strict=True)
            ]
        )
    return gradients


def test_fixed_weights_are_a_plain_gradient_step():
    model, batch = make(), data()
    gradients, before = by_hand(model, batch), copies(everything(model))
    step(model, batch)
    expected = [v - 0.1 * sum(w * g[i] for w, g in zip(WEIGHTS, gradients, strict=True)) for i, v in enumerate(before)]
    assert_near(everything(model), expected)


def test_a_weight_of_3_in_one_task_is_three_rows_of_it():
    """Whose other tasks have a third of their weight each: the same losses, and the same step."""
    features, labels, weights = data()
    times = np.random.default_rng(5).integers(1, 4, len(labels))
    weighted, shared = weights.copy(), weights / times[:, None].astype("float32")
    weighted[:, 0] *= times
    shared[:, 0] = weights[:, 0]
    one, other = make(), make()
    rows = {name: np.repeat(values, times, axis=0) for name, values in features.items()}
    logs = [
        step(one, (features, labels, weighted)),
        step(other, (rows, np.repeat(labels, times, axis=0), np.repeat(shared, times, axis=0))),
    ]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    assert_near(everything(one), everything(other), atol=1e-6)
    assert step(make(), (features, labels, weights)) != pytest.approx(logs[0], rel=1e-3)


def test_penalties_and_add_loss_enter_the_gradient():
    model, batch = make("soft_sharing", regularizers=[L2(strength=0.3)], units=(4,), strength=0.2), data()
    gradients, before = by_hand(model, batch), copies(everything(model))
    variables = everything(model)
    networks = [n.trainable_variables for n in model.architecture.networks]
    with tf.GradientTape() as tape:
        pairs = [(0, 1), (0, 2), (1, 2)]
        apart = sum(tf.reduce_sum((networks[s][p] - networks[t][p]) ** 2) for s, t in pairs for p in range(2)) / 3
        squares = sum(tf.reduce_sum(v.value**2) for v in variables if v.path.endswith("/kernel"))
        cost = 0.2 * apart + 0.3 * squares
    extra = [0 if g is None else g.numpy() for g in tape.gradient(cost, variables)]
    step(model, batch)
    total = [sum(w * g[i] for w, g in zip(WEIGHTS, gradients, strict=True)) + extra[i] for i in range(len(before))]
    assert_near(variables, [v - 0.1 * g for v, g in zip(before, total, strict=True)])


def test_a_combiner_acts_on_the_shared_variables_only():
    model, (features, labels, weights) = make(balancer="pcgrad", tasks=2), data(tasks=2)
    # The second task wants the contrary of the first, through the same gate and tower.
    labels[:, 0] = features["numeric"][:, 0] > 0
    labels[:, 1] = 1 - labels[:, 0]
    for layers in (model.architecture.task_gates, model.architecture.towers):
        layers[1].set_weights(layers[0].get_weights())
    batch = features, labels, weights
    gradients, before = by_hand(model, batch), copies(everything(model))
    shared = {id(v) for v in model.architecture.shared.trainable_variables}
    places = [i for i, v in enumerate(everything(model)) if id(v) in shared]
    flat = np.stack(
        [np.concatenate([w * g[i].ravel() for i in places]) for w, g in zip(WEIGHTS[:2], gradients, strict=True)]
    )
    assert flat[0] @ flat[1] < 0
    combined = np.asarray(project(flat, np.array([[1, 0], [1, 0]])))  # two tasks: the order does not matter
    assert np.abs(combined - flat.sum(axis=0)).max() > 1e-3
    expected = [
        v - 0.1 * sum(w * g[i] for w, g in zip(WEIGHTS[:2], gradients, strict=True)) for i, v in enumerate(before)
    ]
    start = 0
    for i in places:
        size = before[i].size
        expected[i] = before[i] - 0.1 * combined[start : start + size].reshape(before[i].shape)
        start += size
    step(model, batch)
    assert_near(everything(model), expected)


@pytest.mark.parametrize("balancer", TYPES)
def test_keras_optimizer_knows_nothing_of_the_tables(balancer):
    model = make(balancer=balancer, optimizer=keras.optimizers.Adam(0.1))
    features, labels, weights = data()
    features["categorical"] = np.minimum(features["categorical"], 3)
    before = copies(model.encoder.embeddings)
    step(model, (features, labels, weights))
    dense = model.trainable_variables
    assert {id(table) for table in model.encoder.embeddings}.isdisjoint(id(variable) for variable in dense)
    assert len(model.optimizer.variables) == 2 + 2 * len(dense), "iterations, learning rate, and Adam's moments"
    moved = (before[0] != model.encoder.embeddings[0].numpy()).any(axis=1)
    assert moved.tolist() == [False, True, True, True, True, False, False], "padding, ids 0 to 3, ids 4 and 5"


@pytest.mark.parametrize("balancer", ["fixed", "pcgrad"])
def test_embeddings_that_are_rare_cost_more(balancer):
    """Two batches: the gradient of strength * |row|^2 / (times read) is added once for each distinct row."""
    model, plain = make(balancer=balancer, regularizers=[FrequencyL2(strength=0.3)]), make(balancer=balancer)
    times = np.zeros(7)
    for seed in range(2):
        batch = data(seed=seed)
        table = model.encoder.embeddings[0]
        for one, other in zip(everything(plain), everything(model), strict=True):
            one.assign(other.value)
        before = table.numpy()
        step(model, batch)
        step(plain, batch)
        ids = batch[0]["categorical"].ravel() + 1
        times += np.bincount(ids, minlength=7)
        expected = plain.encoder.embeddings[0].numpy()
        rows = np.unique(ids)
        expected[rows] -= 0.1 * 0.3 * 2 * before[rows] / times[rows, None]
        np.testing.assert_allclose(table.numpy(), expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(model.row_counts.totals[0].numpy(), times)


@pytest.mark.parametrize("balancer", ["fixed", "pcgrad"])
def test_the_gradient_is_clipped_by_one_norm_of_variables_and_rows(balancer):
    free, clipped, loose = (make(balancer=balancer, clip_norm=norm) for norm in (None, 0.01, 1e6))
    before = copies(everything(free))
    for model in (free, clipped, loose):
        step(model, data())
    moves = [(v.numpy() - old) for v, old in zip(everything(free), before, strict=True)]
    norm = np.sqrt(sum((move**2).sum() for move in moves)) / 0.1  # of the gradient: the rate is 0.1
    assert norm > 0.01
    assert_near(everything(loose), everything(free), rtol=0, atol=0)
    expected = [old + move * 0.01 / norm for old, move in zip(before, moves, strict=True)]
    assert_near(everything(clipped), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("balancer", TYPES)
def test_jit_compile_changes_nothing(balancer):
    eager = make(balancer=balancer, regularizers=[L2(strength=1e-3)])
    compiled = make(balancer=balancer, regularizers=[L2(strength=1e-3)], jit_compile=True)
    for seed in range(3):
        logs, compiled_logs = step(eager, data(seed=seed)), step(compiled, data(seed=seed))
    of_balancer = {name for name in logs if name.startswith(("weight_of_", "cosine_of_"))}
    assert logs.keys() == compiled_logs.keys() == {"loss", *(f"{task}_loss" for task in TASKS), *of_balancer}
    assert bool(of_balancer) == (balancer != "fixed")
    assert_near(logs.values(), compiled_logs.values())
    assert_near(everything(eager), everything(compiled), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_learns_compiled_under_a_combiner(architecture):
    model = make(architecture, "pcgrad", 2, jit_compile=True)
    batch = data(64, tasks=2)
    logs = [step(model, batch) for _ in range(12)]
    assert logs[-1]["loss"] < logs[0]["loss"]
    assert model.first_bad_step() == {}


def test_learns_and_steps_per_execution_changes_nothing():
    features, labels, weights = data(512)
    feed = tf.data.Dataset.from_tensor_slices((features, labels, weights)).batch(64)
    results = []
    for steps in (1, 4):
        optimizers = {"optimizer": keras.optimizers.Adam(0.05), "tables": LazyAdam(learning_rate=0.05)}
        model = make("shared_bottom", units=(16,), **optimizers, jit_compile=True, steps_per_execution=steps)
        history = model.fit(feed, epochs=6, validation_data=feed, shuffle=False, verbose=0).history
        results.append((copies(everything(model)), history))
    assert_near(results[0][0], results[1][0], rtol=1e-3, atol=1e-4)
    assert results[0][1].keys() == {
        f"{part}{name}" for part in ("", "val_") for name in ("loss", *(f"{t}_loss" for t in TASKS))
    }
    for task in TASKS:
        assert results[0][1][f"val_{task}_loss"][-1] < 0.7 * results[0][1][f"val_{task}_loss"][0]


@pytest.mark.parametrize("balancer", BALANCERS)
def test_nothing_observed_changes_nothing(balancer):
    model = make(balancer=balancer)
    features, labels, weights = data()
    before = copies(everything(model))
    logs = step(model, (features, np.full_like(labels, np.nan), np.zeros_like(weights)))
    assert_near(everything(model), before, rtol=0, atol=0)
    assert all(value == 0 for name, value in logs.items() if not name.startswith("weight_of_"))
    assert model.first_bad_step() == {}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_task_without_weight_keeps_its_tower(architecture):
    # Without a term that relates the towers: it moves them whatever the weights.
    none = {"strength": 0.0} if "strength" in signature(ARCHITECTURES[architecture]) else {}
    model, (features, labels, weights) = make(architecture, **none), data()
    network = model.architecture
    towers = network.towers if hasattr(network, "towers") else [network.heads[name] for name in network.head_of]
    before = [copies(tower.trainable_variables) for tower in towers]
    weights[:, 0] = 0
    step(model, (features, labels, weights))
    moved = [
        any((a != b.numpy()).any() for a, b in zip(old, t.trainable_variables, strict=True))
        for old, t in zip(before, towers, strict=True)
    ]
    assert moved == [False, True, True]


def test_tasks_may_come_in_any_order():
    """Swapped columns and names: the same model under other names, since the tasks' parts go by position."""
    model, batch = make(tasks=2), data(tasks=2)
    keras.utils.set_random_seed(1)
    swapped = MultiTaskModel(
        FeatureEncoder({"item": (6, 2)}, {"item": "item", "last": "item"}, numeric=("a", "b", "c")),
        load(ARCHITECTURES["mmoe"])(binary("click_cart", "click"), experts=2, units=(4,), tower_units=(3,)),
        load(BALANCERS["fixed"])(("click_cart", "click"), WEIGHTS[:2]),
        dict.fromkeys(("click_cart", "click"), "binary_crossentropy"),
        embedding_optimizer=SGD(learning_rate=0.1),
    )
    swapped.build()
    swapped.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    one, other = step(model, batch), step(swapped, batch)
    assert one["click_loss"] == other["click_cart_loss"]
    assert one["click_cart_loss"] == other["click_loss"]
    assert_near(everything(model), everything(swapped), rtol=0, atol=0)


@pytest.mark.parametrize("training", [True, False])
def test_task_losses_are_means_over_the_observed_examples_of_the_epoch(training):
    model = make(optimizer=keras.optimizers.SGD(0.0), tables=SGD(learning_rate=1e-30))
    first, second = data(8, seed=1), data(8, seed=2)
    second[2][:, 0] = 0  # no observation of the first task
    second[2][:4, 1] = 0
    logs = {}
    for batch in (first, second):
        tensors = tf.nest.map_structure(tf.convert_to_tensor, batch)
        logs = model.train_step(tensors) if training else model.test_step(tensors)
    features, labels, weights = (
        {k: np.concatenate([first[0][k], second[0][k]]) for k in first[0]},
        np.concatenate([first[1], second[1]]),
        np.concatenate([first[2], second[2]]),
    )
    logits = model(features)
    expected = [
        float(task_loss(load(LOSSES[KINDS[i]])(), logits[task], labels[:, i], weights[:, i]))
        for i, task in enumerate(TASKS)
    ]
    np.testing.assert_allclose([logs[f"{task}_loss"] for task in TASKS], expected, rtol=1e-5)
    if not training:
        assert float(logs["loss"]) == pytest.approx(np.dot(WEIGHTS, expected), rel=1e-5)


def test_evaluation_does_not_depend_on_the_balancers_moving_weights():
    model, batch = make(balancer="uncertainty"), data()
    before = model.test_on_batch(*batch, return_dict=True)
    model.balancer.log_variance.assign([1.0, -2.0, 0.5])
    assert model.test_on_batch(*batch, return_dict=True) == before
    assert step(model, batch)["loss"] != pytest.approx(before["loss"])


def test_training_loss_is_what_is_minimised():
    model, batch = (
        make(balancer="uncertainty", optimizer=keras.optimizers.SGD(0.0), regularizers=[L2(strength=0.1)]),
        data(),
    )
    model.balancer.log_variance.assign([1.0, -2.0, 0.5])
    logs = step(model, batch)
    s = np.array([1.0, -2.0, 0.5])
    losses = np.array([logs[f"{task}_loss"] for task in TASKS])
    squares = sum((v.numpy() ** 2).sum() for v in model.architecture.trainable_variables if v.name == "kernel")
    assert logs["loss"] == pytest.approx(np.dot(WEIGHTS, np.exp(-s) * losses + s / 2) + 0.1 * squares, rel=1e-4)


@pytest.mark.parametrize("balancer", BALANCERS)
def test_first_bad_step_names_task_and_step(balancer):
    model = make(balancer=balancer)
    step(model, data())
    step(model, data(seed=1))
    features, labels, weights = data(seed=2)
    labels[np.flatnonzero(weights[:, 1])[0], 1] = np.nan  # an observed label that is no number
    assert model.first_bad_step() == {}
    step(model, (features, labels, weights))
    assert model.first_bad_step() == {"click_cart": 2}
    step(model, data(seed=3))  # by now all weights are NaN; what came first stays
    assert model.first_bad_step() == {"click": 3, "click_cart": 2, "amount": 3}


@pytest.mark.parametrize(("architecture", "balancer"), PAIRS)
def test_no_variable_stays_in_the_hosts_memory_beside_a_gpu(architecture, balancer):
    """TensorFlow has variables of int32 and text there only, and a compiled step cannot read them from the GPU."""
    model = make(architecture, balancer)
    step(model, data())
    found = [*model.variables, *model.optimizer.variables, *model.embedding_optimizer.variables]
    types = {variable.dtype if isinstance(variable.dtype, str) else variable.dtype.name for variable in found}
    assert types <= {"float32", "int64"}


@pytest.mark.parametrize("balancer", BALANCERS)
def test_a_restored_training_goes_on_as_if_never_stopped(balancer, tmp_path):
    """Moments, balancer state and random generators (PCGrad's orders, dropout) come back with the weights."""
    # The dropout's generator is beside the balancer's variables: a step of either kind shows it.
    dropout = 0.3 if balancer in ("fixed", "pcgrad") else 0.0

    def fresh(seed):
        optimizers = {"optimizer": keras.optimizers.Adam(0.05), "tables": LazyAdam()}
        return make(balancer=balancer, seed=seed, dropout=dropout, **optimizers)

    model = fresh(1)
    for seed in range(2):
        step(model, data(seed=seed))
    model.save_weights(tmp_path / "m.weights.h5")
    restored = fresh(9)
    step(restored, data(seed=7))
    restored.load_weights(tmp_path / "m.weights.h5")
    for seed in range(2, 4):
        step(model, data(seed=seed))
        step(restored, data(seed=seed))
    assert_near(everything(model), everything(restored), rtol=0, atol=0)


def test_a_saved_model_keeps_the_options_of_its_losses(tmp_path):
    grades, gamma = (0.0, 1.0, 10.0), 0.5
    tasks = (*binary("click"), TaskInfo(name="stars", kind="regression", outputs=2))
    model = MultiTaskModel(
        FeatureEncoder({"item": (6, 2)}, {"item": "item", "last": "item"}, numeric=("a", "b", "c")),
        load(ARCHITECTURES["shared_bottom"])(tasks, units=(4,)),
        load(BALANCERS["fixed"])(("click", "stars"), (1.0, 1.0)),
        {"click": "focal", "stars": "ordinal"},
        loss_options={"click": {"gamma": gamma}, "stars": {"grades": grades}},
    )
    model.build()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert (loaded.loss_functions[0].gamma, loaded.loss_functions[1].grades) == (gamma, grades)
    features = data()[0]
    for task, predictions in model.predictions(features).items():
        np.testing.assert_array_equal(loaded.predictions(features)[task], predictions)


def test_save_and_load_the_whole_model(tmp_path):
    regularizers = [L2(strength=0.5), FrequencyL2()]
    model = make(
        "ple", "uncertainty", regularizers=regularizers, tables=LazyAdam(beta_1=0.7), clip_norm=3.0, units=(4,)
    )
    batch = data()
    step(model, batch)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert (loaded.tasks, loaded.loss_names, loaded.balancer.task_weights) == (TASKS, KINDS, WEIGHTS)
    for task, logits in model(batch[0]).items():
        np.testing.assert_array_equal(loaded(batch[0])[task], logits)
    assert loaded.regularizers[0].strength == 0.5
    assert (loaded.embedding_optimizer.beta_1, loaded.clip_norm) == (0.7, 3.0)
    restored = [*loaded.embedding_optimizer.states, *loaded.row_counts.totals, *loaded.encoder.embeddings]
    own = [*model.embedding_optimizer.states, *model.row_counts.totals, *model.encoder.embeddings]
    assert_near(own, restored, rtol=0, atol=0)
    assert np.abs(own[0].numpy()).max() > 0
    step(model, batch)
    step(loaded, batch)
    assert_near(everything(model), everything(loaded), rtol=0, atol=0)


def test_predictions_apply_the_link():
    model, (features, _, _) = make(), data()
    logits, predictions = model(features), model.predictions(features)
    assert tuple(predictions) == TASKS
    np.testing.assert_allclose(predictions["click"], 1 / (1 + np.exp(-np.asarray(logits["click"]))), rtol=1e-5)
    np.testing.assert_array_equal(predictions["amount"], logits["amount"])


def test_same_seed_same_training():
    first, again = make(balancer="pcgrad", dropout=0.2), make(balancer="pcgrad", dropout=0.2)
    for seed in range(3):
        step(first, data(seed=seed))
        step(again, data(seed=seed))
    assert_near(everything(first), everything(again), rtol=0, atol=0)


def test_refuses_parts_that_do_not_fit():
    encoder = FeatureEncoder({}, numeric=("a", "b", "c"))
    architecture = load(ARCHITECTURES["shared_bottom"])(binary("a", "b"))
    fixed = load(BALANCERS["fixed"])
    losses = {"a": "huber", "b": "poisson"}
    with pytest.raises(ValueError, match=r"architecture for tasks \('a', 'b'\), balancer for \('b', 'a'\)"):
        MultiTaskModel(encoder, architecture, fixed(("b", "a"), (1.0, 1.0)), losses)
    with pytest.raises(ValueError, match=r"losses for \('a',\)"):
        MultiTaskModel(encoder, architecture, fixed(("a", "b"), (1.0, 1.0)), {"a": "huber"})
    with pytest.raises(InputError, match="unknown loss 'hubber'; did you mean 'huber'"):
        MultiTaskModel(encoder, architecture, fixed(("a", "b"), (1.0, 1.0)), {**losses, "a": "hubber"})
    with pytest.raises(ValueError, match=r"the losses need {'a': 1, 'b': 2} logits, the tasks have {'a': 1, 'b': 1}"):
        MultiTaskModel(
            encoder, architecture, fixed(("a", "b"), (1.0, 1.0)), {**losses, "b": "outside_losses.GammaPlus"}
        )


@pytest.mark.parametrize("balancer", TYPES)
def test_a_loss_from_outside_of_several_logits(balancer, tmp_path):
    keras.utils.set_random_seed(1)
    tasks = (*binary("click", "click_cart"), TaskInfo(name="amount", kind="regression", outputs=2))
    model = MultiTaskModel(
        FeatureEncoder({"item": (6, 2)}, {"item": "item", "last": "item"}, numeric=("a", "b", "c")),
        load(ARCHITECTURES["mmoe"])(tasks, experts=2, units=(4,), tower_units=(3,)),
        load(BALANCERS[balancer])(TASKS, WEIGHTS),
        {**dict(zip(TASKS, KINDS, strict=True)), "amount": "outside_losses.GammaPlus"},
    )
    model.build()
    model.compile(keras.optimizers.Adam(0.05), run_eagerly=True)
    features, labels, weights = data()
    labels[:, 2] = np.where(weights[:, 2] > 0, np.exp(labels[:, 2]), np.nan)
    before = model.test_on_batch(features, labels, weights, return_dict=True)
    for _ in range(10):
        step(model, (features, labels, weights))
    after = model.test_on_batch(features, labels, weights, return_dict=True)
    assert model.first_bad_step() == {}
    assert after["amount_loss"] < before["amount_loss"]
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    predictions = model.predictions(features)
    assert {values.shape for values in predictions.values()} == {(len(labels),)}
    for task, values in predictions.items():
        np.testing.assert_array_equal(loaded.predictions(features)[task], values)


def test_a_new_weighting_needs_no_change_of_the_step():
    class Largest(Weighting):
        """All weight on the task with the largest loss: known to no table."""

        def weigh(self, evidence):
            return keras.ops.one_hot(keras.ops.argmax(evidence.losses), 3)

    model, batch = make(balancer=Largest), data()
    gradients, before = by_hand(model, batch), copies(everything(model))
    logs = step(model, batch)
    worst = int(np.argmax([logs[f"{task}_loss"] for task in TASKS]))
    assert_near(everything(model), [v - 0.1 * g for v, g in zip(before, gradients[worst], strict=True)])
