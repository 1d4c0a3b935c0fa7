"""Each kind of auxiliary task does what it is for, on simulated data where that can be seen."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from models.architectures.base import REPRESENTATION
from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.recipe.model import Training
from models.training.after_training import in_batches
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TaskPlan, TrainerPlan
from models.training.trainer import train

BINARY = {"kind": "binary", "loss": "binary_crossentropy", "weight": 1.0}
NUMBER = {"kind": "regression", "loss": "squared_error", "weight": 1.0}
HELPS = {"served": False}
OPPOSES = {"served": False, "adversarial": True}
TEST_ROWS = 5_000


def probability(logits):
    return 1.0 / (1.0 + np.exp(-logits))


def columns(x, labels, weights=None):
    y = np.stack(list(labels.values()), axis=1).astype("float32")
    w = np.ones_like(y) if weights is None else np.stack(list(weights.values()), axis=1).astype("float32")
    return Columns({"numeric": x.astype("float32")}, y, w, np.arange(len(x)), tuple(labels))


@pytest.fixture
def trained(tmp_path):
    """Trains a shared bottom on numbers; the train split decides, so that only the tasks differ between two trainings."""

    def run(x, tasks, labels, weights=None, *, regularizers=None, **training):
        plan = TrainerPlan(
            tasks={name: TaskPlan(**task) for name, task in tasks.items()},
            architecture="shared_bottom",
            options={"units": (32, 16), "tower_units": (8,)},
            balancer="fixed",
            balancer_options={},
            regularizers=regularizers or {},
            training=Training(**{"patience": 1_000, "average_weights": False, "learning_rate": 0.003, **training}),
            probe_requests=1,
            inputs={},
        )
        numbers = tuple(f"x{place}" for place in range(x.shape[1]))
        layout = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=numbers)
        data = columns(x, labels, weights)
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        place.mkdir()
        return train(plan, layout, data, data, TrainingCheckpoint(place / "checkpoint"), place)

    return run


def asked(found, x):
    """{task: predictions}, and what the towers read under REPRESENTATION if the architecture gives it."""

    def ask(features):
        return {**found.model.architecture(found.model.encode(features)), **found.model.predictions(features)}

    return in_batches(ask, columns(x, {"none": x[:, 0]}), TEST_ROWS)


def test_adversarial_hides_a_column_and_keeps_the_main_task(trained):
    """Three features tell of the device, and the click does not depend on it."""
    random = np.random.default_rng(0)

    def sample(rows):
        device = random.integers(0, 2, rows)
        z = random.normal(size=(rows, 4))
        click = random.random(rows) < probability(z @ [1.8, -1.0, 0.7, 0.5] + 0.8 * z[:, 0] * z[:, 1])
        tells = 2 * device[:, None] - 1 + 0.7 * random.normal(size=(rows, 3))
        return np.concatenate([z, tells], axis=1), {"click": click, "device": device}

    (x, labels), (other_x, other) = sample(6_000), sample(TEST_ROWS)
    tasks = {"click": BINARY, "device": BINARY | OPPOSES}
    aucs, probes = [], []
    for weight in (1e-6, 1.0):
        tasks["device"] = BINARY | OPPOSES | {"weight": weight}
        found = trained(x, tasks, labels, epochs=80, batch_size=256, average_weights=True)
        assert found.best_round == len(found.rounds) - 1  # the last one, however the main task does
        assert set(found.model.predictions({"numeric": x[:2].astype("float32")})) == {"click"}
        seen, answers = asked(found, x), asked(found, other_x)
        aucs.append(roc_auc_score(other["click"], answers["click"]))
        probe = HistGradientBoostingClassifier(max_iter=50).fit(seen[REPRESENTATION], labels["device"])
        probes.append(roc_auc_score(other["device"], probe.predict_proba(answers[REPRESENTATION])[:, 1]))
    assert probes[0] > 0.9
    assert probes[1] < 0.55
    assert aucs[1] > aucs[0] - 0.005


def test_a_hint_raises_the_main_task_where_data_are_few(trained):
    """The click depends on a number that the log has for the impressions, and that a request will not have."""
    gains = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        x = random.normal(size=(400 + TEST_ROWS, 20))
        along = x @ random.normal(size=20) / np.sqrt(20)
        hint = np.sin(2 * along) + along
        click = random.random(len(x)) < probability(2 * hint)
        labels = {"click": click[:400], "hint": hint[:400]}
        alone = trained(x[:400], {"click": BINARY}, {"click": labels["click"]}, epochs=30, batch_size=64)
        with_hint = trained(x[:400], {"click": BINARY, "hint": NUMBER | HELPS}, labels, epochs=30, batch_size=64)
        both = (roc_auc_score(click[400:], asked(one, x[400:])["click"]) for one in (alone, with_hint))
        gains.append(-np.subtract(*both))
    assert np.mean(gains) > 0.01


def test_predicting_a_small_feature_draws_attention_to_it(trained):
    """The click depends on one feature alone, whose scale is a quarter of that of thirty features of noise."""
    random = np.random.default_rng(0)
    z = random.normal(size=2_000 + TEST_ROWS)
    x = np.concatenate([0.25 * z[:, None], random.normal(size=(len(z), 30))], axis=1)
    click = random.random(len(x)) < probability(2 * z)
    labels = {"click": click[:2_000], "feature": x[:2_000, 0]}
    alone = trained(x[:2_000], {"click": BINARY}, {"click": labels["click"]}, epochs=20, batch_size=64)
    drawn = trained(x[:2_000], {"click": BINARY, "feature": NUMBER | HELPS}, labels, epochs=20, batch_size=64)
    without, with_it = (roc_auc_score(click[2_000:], asked(one, x[2_000:])["click"]) for one in (alone, drawn))
    assert with_it > without + 0.02


def test_quantised_copies_smooth_a_regression_of_heavy_tails(trained):
    """The order of the predictions comes nearer to that of the expected values."""
    gains = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        x = random.normal(size=(1_000 + TEST_ROWS, 12))
        along = x @ random.normal(size=12) / np.sqrt(12) + 0.5 * x[:, 0] * x[:, 1]
        value = np.exp(along + 1.5 * random.standard_t(3, size=len(x))).clip(0, 300)[:1_000]
        copies = {f"above_{share}": value > np.quantile(value, share) for share in (0.25, 0.5, 0.75)}
        tasks = {"value": NUMBER} | dict.fromkeys(copies, BINARY | HELPS)
        alone = trained(x[:1_000], {"value": NUMBER}, {"value": value}, epochs=20, batch_size=64)
        smooth = trained(x[:1_000], tasks, {"value": value} | copies, epochs=20, batch_size=64)
        without, with_copies = (spearmanr(along[1_000:], asked(one, x[1_000:])["value"])[0] for one in (alone, smooth))
        gains.append(with_copies - without)
    assert np.mean(gains) > 0.02


def test_masked_views_learn_from_rows_without_a_label(trained):
    """100 of 4,100 rows are labelled; 40 features tell of three hidden numbers, on which the click depends."""
    random = np.random.default_rng(0)
    rows = 4_100
    z = random.normal(size=(rows + TEST_ROWS, 3))
    x = np.tanh(z @ random.normal(size=(3, 40))) + random.normal(size=(len(z), 40))
    click = random.random(len(z)) < probability(3 * z[:, 0] * z[:, 1] + 2 * z[:, 2])
    labels, observed = {"click": click[:rows]}, {"click": random.permutation(rows) < 100}
    aucs = []
    for regularizers in ({}, {"masked_views": {"strength": 1.0}}):
        about = {"regularizers": regularizers, "epochs": 15, "batch_size": 256}
        found = trained(x[:rows], {"click": BINARY}, labels, observed, **about)
        aucs.append(roc_auc_score(click[rows:], asked(found, x[rows:])["click"]))
    assert aucs[1] > aucs[0] + 0.02
