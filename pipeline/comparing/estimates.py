"""A gain of one method over another one, with its variance over seeds and users, and Student's t test of it.

The estimand is E[T(method)] - E[T(other)], the difference of a metric T expected over seeds and users. All methods are trained with
the same S seeds and predict the same rows. D_s is the difference of seed s, and the gain is their mean. Its variance is the sum of
two parts:

- seeds: A = sum_s (D_s - mean)^2 / (S (S - 1)).
- users: B = U / (U - 1) sum_u I_u^2. I_u is the influence of user u (the sum over the user's rows, `components.evaluation.influence`) on
  the mean over the seeds of the difference. All tasks have the same users. U counts those that carry information about the metric.

The gain divided by sqrt(A + B) has Student's t distribution with (A + B)^2 / (A^2 / (S - 1) + B^2 / (U - 1)) degrees of freedom (Welch,
Satterthwaite), approximately.

**Interaction.** With D_su = d + a_s + b_u + c_su, the variance of the mean is var(a) / S + var(b) / U + var(c) / (S U). A and B both
contain the last term, so A + B counts it twice and the test is conservative: the standard error is at most sqrt(2) times too large, if
var(a) = var(b) = 0. Subtracting an estimate of the term would make the test liberal at few seeds, where A is often too small by chance.

**Few seeds.** Use 5 or more. The seeds' part has S - 1 degrees of freedom; where a small A by chance suggests more of them, the test is
liberal. Without an interaction, this is the share of true nulls that are rejected if A is 10 B in expectation:

    level     2 seeds   3 seeds   5 seeds   10 seeds
    0.05      0.127     0.077     0.057     0.052
    0.0036    0.060     0.023     0.009     0.005

At 5 seeds, of 13 methods that equal their twin, Holm's adjustment at level 0.05 calls at least one different in 10 % of comparisons if A
is 10 B, and in 6 % if A is B.

**No bootstrap.** A bootstrap that draws users, and seeds, estimates the same parts by Monte Carlo: in expectation A (S - 1) / S and
B (U - 1) / U, and it counts the interaction a third time (Owen). The sums are exact, deterministic and have no number of draws.

References:
    Welch, Biometrika 34 (1947); Satterthwaite, Biometrics Bulletin 2 (1946).
    Efron, The Jackknife, the Bootstrap and Other Resampling Plans, SIAM 1982, chapter 6.
    DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988), for the influences on AUC.
    Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 1 (2007), for two crossed factors.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from scipy.special import nctdtrinc, stdtr, stdtrit

from components.evaluation.runs import Array

POWER = 0.8
# A difference or a standard error below this share of the metric's values is 0 but for rounding.
ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """A gain, and the two parts of its variance: `seed_variance` is A, `user_variance` is B of the module's docstring."""

    gain: float
    seed_variance: float
    user_variance: float
    seeds: int
    users: int

    @property
    def standard_error(self) -> float:
        """sqrt(A + B)."""
        return math.sqrt(self.seed_variance + self.user_variance)

    @property
    def freedom(self) -> float:
        """Welch's and Satterthwaite's degrees of freedom. The variance is not 0."""
        share = self.seed_variance / (self.seed_variance + self.user_variance)
        return 1.0 / (share**2 / (self.seeds - 1) + (1.0 - share) ** 2 / (self.users - 1))

    @property
    def p(self) -> float:
        """Two-sided; 1 if there is neither a difference nor a variance."""
        if self.standard_error == 0.0:
            return 1.0
        return float(2.0 * stdtr(self.freedom, -abs(self.gain) / self.standard_error))

    def half_width(self, level: float) -> float:
        """Half of the interval that a true difference misses with probability `level`."""
        if self.standard_error == 0.0:
            return 0.0
        return self.standard_error * -float(stdtrit(self.freedom, level / 2.0))

    def visible(self, level: float) -> float:
        """The true difference that a test at this level finds with probability POWER, from the noncentral t distribution."""
        if self.standard_error == 0.0:
            return 0.0
        threshold = -float(stdtrit(self.freedom, level / 2.0))
        return self.standard_error * float(nctdtrinc(self.freedom, 1.0 - POWER, threshold))


def estimate(by_seed: Array, sums: Array, users: int, scale: float) -> Estimate | None:
    """The gain with its variance.

    Args:
        by_seed: (seeds,) differences, positive if the method is better.
        sums: (clusters,) influences of the users on their mean.
        users: users that carry information.
        scale: size of the metric's values, beside which rounding is negligible.

    Returns:
        None below 2 users, if a difference is NaN, and if there is a difference without any variance.
    """
    seeds = len(by_seed)
    if users < 2 or not np.isfinite(by_seed).all():
        return None
    gain = float(by_seed.mean())
    seed_variance = float(by_seed.var(ddof=1)) / seeds
    user_variance = float(sums @ sums) * users / (users - 1)
    if math.sqrt(seed_variance + user_variance) <= ROUNDING * scale:
        if abs(gain) > ROUNDING * scale:
            return None
        gain = seed_variance = user_variance = 0.0
    return Estimate(gain=gain, seed_variance=seed_variance, user_variance=user_variance, seeds=seeds, users=users)
