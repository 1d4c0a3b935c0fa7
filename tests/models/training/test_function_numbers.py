from __future__ import annotations

import tensorflow as tf

from models.training.function_numbers import number_from_a_round_one


def test_functions_have_the_same_number_after_other_work() -> None:
    def number() -> int:
        number_from_a_round_one()
        return int(tf.function(lambda: tf.constant(1.0)).get_concrete_function().name.decode().rpartition("_")[2])

    first = number()
    for _ in range(5):
        tf.function(lambda: tf.constant(1.0)).get_concrete_function()
    assert number() - first == 2**18
