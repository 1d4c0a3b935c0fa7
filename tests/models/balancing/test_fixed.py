import numpy as np

from models.balancing.evidence import Evidence
from models.balancing.fixed import Fixed


def test_the_weights_of_the_recipe_whatever_the_losses():
    balancer = Fixed(("a", "b"), (0.25, 3.0))
    np.testing.assert_array_equal(
        balancer.weigh(Evidence(losses=np.float32([1e9, 0.0]), observed=[True, False])), [0.25, 3.0]
    )
    assert balancer.variables == []
