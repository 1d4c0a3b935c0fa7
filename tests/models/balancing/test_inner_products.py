"""Known gradients under every row of BALANCERS that combines gradients by their inner products, against NumPy and SciPy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize

from models.balancing import BALANCERS
from models.balancing.evidence import Evidence
from models.recipe.registry import load

RNG = np.random.default_rng(7)
A_THOUSAND_TIMES = RNG.normal(size=(3, 5)) * [[1], [1000], [1]]
CASES = {
    "orthogonal": [[1, 0], [0, 2]],
    "opposed": [[1, 0], [-1, 0]],
    "opposed, of different lengths": [[1, 0], [-3, 0]],
    "equal": [[1, 2], [1, 2], [1, 2]],
    "three in a plane": [[1, 0], [0.8, 0.6], [-0.6, 0.9]],
    "one zero": [[1, 0.5, 0], [0, 0, 0], [-0.5, 1, 1]],
    "one a thousand times larger": A_THOUSAND_TIMES,
    "eight": RNG.normal(size=(8, 20)) + 0.3,
    **{f"random {seed}": np.random.default_rng(seed).normal(size=(4, 6)) * [[1], [3], [0.2], [1]] for seed in range(2)},
}


def mgda(g):
    """The nearest point to 0 of the convex hull. With the row of ones, `nnls` finds a multiple of its coefficients."""
    w, _ = optimize.nnls(
        np.vstack([g.T, np.full(len(g), np.abs(g).mean())]), np.r_[np.zeros(g.shape[1]), np.abs(g).mean()]
    )
    return len(g) * (w / w.sum()) @ g


def cagrad(g, c=0.4):
    mean = g.mean(axis=0)
    products, radius = g @ g.T, c * np.linalg.norm(mean)
    norm = np.linalg.norm(products)

    def dual(w):
        return (w @ g @ mean + radius * np.sqrt(w @ products @ w + 1e-12 * norm)) / norm**0.5

    best = min(
        (
            optimize.minimize(
                dual,
                start,
                bounds=[(0, 1)] * len(g),
                constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
                options={"ftol": 1e-14, "maxiter": 1000},
            )
            for start in [np.full(len(g), 1 / len(g)), *np.eye(len(g))]
        ),
        key=lambda found: found.fun,
    )
    toward = best.x @ g
    return len(g) / (1 + c) * (mean + radius * toward / max(np.linalg.norm(toward), 1e-9))


def imtl_g(g):
    """The authors' formula: differences to the first task."""
    unit = g / np.linalg.norm(g, axis=1, keepdims=True)
    to_first, unit_to_first = g[0] - g[1:], unit[0] - unit[1:]
    rest = g[0] @ unit_to_first.T @ np.linalg.inv(to_first @ unit_to_first.T)
    return len(g) * np.r_[1 - rest.sum(), rest] @ g


def fair(g, alpha):
    products = g @ g.T / np.linalg.norm(g @ g.T)
    start = np.log(np.linalg.norm(products, axis=1)) * -0.5

    def errors(log):
        return np.log(np.maximum(products @ np.exp(log), 1e-30)) + log / alpha

    # In the logarithms of a, first by the convex problem that has the same solution.
    def objective(log):
        a = np.exp(log)
        gain = log.sum() if alpha == 1 else (a ** (1 - 1 / alpha)).sum() / (1 - 1 / alpha)
        return a @ products @ a / 2 - gain

    near = optimize.minimize(objective, start, method="BFGS").x
    found = optimize.least_squares(errors, near, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert found.cost < 1e-12
    d = np.exp(found.x) @ g
    return np.sqrt(len(g) * np.linalg.norm(g @ g.T)) * d / np.linalg.norm(d)


def aligned_mtl(g):
    left, singular, right = np.linalg.svd(g, full_matrices=False)
    rank = np.sum(singular**2 > singular[0] ** 2 * len(g) * 2.0**-23)
    return (singular[rank - 1] * left[:, :rank] @ right[:rank]).sum(axis=0)


def upgrad(g):
    return sum(gradient + optimize.nnls(g.T, -gradient)[0] @ g for gradient in g)


def config(g):
    unit = g / np.linalg.norm(g, axis=1, keepdims=True)
    best = np.linalg.pinv(unit, rcond=1e-3) @ np.ones(len(g))
    norm = np.linalg.norm(best)
    return 0 * best if norm < 1e-9 else (g @ best).sum() / norm**2 * best


REFERENCES = {
    "mgda": mgda,
    "cagrad": cagrad,
    "imtl_g": imtl_g,
    "nash_mtl": lambda g: fair(g, 1.0),
    "aligned_mtl": aligned_mtl,
    "upgrad": upgrad,
    "conflict_free": config,
    "fairgrad": lambda g: fair(g, 2.0),
}
NO_REFERENCE = {
    **{(name, case): "no solution" for name in ("nash_mtl", "fairgrad") for case in CASES if "opposed" in case},
    **{
        ("imtl_g", case): "a singular matrix"
        for case in ("opposed", "opposed, of different lengths", "equal", "three in a plane")
    },
}
SCALE_INVARIANT = ("imtl_g", "nash_mtl", "conflict_free")


def combine(name, gradients):
    tasks = tuple("abcdefgh"[: len(gradients)])
    balancer = load(BALANCERS[name])(tasks, (1.0,) * len(tasks))
    balancer.build()
    gradients = tf.constant(gradients, "float32")
    losses = tf.ones(len(tasks))
    observed = tf.reduce_any(gradients != 0, axis=1)
    return np.asarray(balancer.combine(Evidence(losses=losses, observed=observed, gradients=gradients)))


@pytest.mark.parametrize(
    ("name", "case"), [pair for pair in itertools.product(REFERENCES, CASES) if pair not in NO_REFERENCE]
)
def test_against_a_reference(name, case):
    gradients = np.asarray(CASES[case], "float64")
    expected = REFERENCES[name](gradients[np.any(gradients != 0, axis=1)])
    atol = 1e-3 * np.abs(expected).max() + 1e-5 * np.abs(gradients).max()
    np.testing.assert_allclose(combine(name, gradients), expected, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("name", "case"), [*NO_REFERENCE, *((name, "one a thousand times larger") for name in REFERENCES)]
)
def test_is_finite_and_no_longer_than_the_tasks_allow(name, case):
    gradients = np.asarray(CASES[case])
    out = combine(name, gradients)
    assert np.isfinite(out).all()
    assert np.linalg.norm(out) <= 1.01 * len(gradients) * np.linalg.norm(gradients, axis=1).max()


@pytest.mark.parametrize("name", REFERENCES)
def test_equal_gradients_are_summed(name):
    np.testing.assert_allclose(combine(name, [[1, 2]] * 3), [3, 6], rtol=1e-4)


@pytest.mark.parametrize("name", REFERENCES)
def test_opposed_gradients_move_nothing(name):
    if name == "cagrad":  # as long as the mean, which is 0
        np.testing.assert_allclose(combine(name, [[1, 2], [-1, -2]]), [0, 0], atol=1e-3)
        return
    # The longer of two opposed gradients is aligned with both.
    for length in (1,) if name == "aligned_mtl" else (1, 3):
        np.testing.assert_allclose(combine(name, [[1, 2], [-length, -2 * length]]), [0, 0], atol=2e-3 * 6.7)


@pytest.mark.parametrize("name", SCALE_INVARIANT)
@pytest.mark.parametrize("factor", [1e-3, 10.0, 1e3])
def test_scaling_the_loss_of_a_task_keeps_the_direction(name, factor):
    gradients = np.asarray(CASES["random 0"])
    before, after = combine(name, gradients), combine(name, gradients * [[1], [1], [factor], [1]])
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    assert abs(cosine) > 1 - 1e-5


@pytest.mark.parametrize("name", REFERENCES)
def test_scaling_all_losses_scales_the_step(name):
    gradients = np.asarray(CASES["random 1"])
    for factor in (1e-4, 1e4):
        np.testing.assert_allclose(
            combine(name, gradients * factor) / factor, combine(name, gradients), rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("name", ["mgda", "upgrad", "nash_mtl", "fairgrad", "conflict_free"])
@pytest.mark.parametrize("case", ["random 0", "random 1", "one a thousand times larger", "eight"])
def test_no_task_gets_worse(name, case):
    gradients = np.asarray(CASES[case])
    out = combine(name, gradients)
    cosines = gradients @ out / np.linalg.norm(gradients, axis=1) / np.linalg.norm(out)
    assert cosines.min() > -1e-3


@pytest.mark.parametrize("name", REFERENCES)
def test_a_gradient_that_is_not_finite_shows_in_the_step(name):
    """So that the step is reported, and no solver raises an error before."""
    for value in (np.nan, np.inf):
        assert not np.isfinite(combine(name, [[1, 0], [0, value], [2, 1]])).all()
