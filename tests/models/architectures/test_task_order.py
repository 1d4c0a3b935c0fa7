import pytest

from models.architectures.task_info import TaskInfo
from models.architectures.task_order import before_by_funnel, first_to_last


def test_before_by_funnel():
    tasks = (TaskInfo(name="order", after="click"), TaskInfo(name="click", after="elsewhere"), TaskInfo(name="like"))
    assert before_by_funnel(tasks) == (1, None, None)


@pytest.mark.parametrize("read", [[], [()], [(1, 2), (), (1,)], [(3,), (0, 2), (), (2,)]])
def test_each_task_is_behind_what_it_reads(read):
    order = first_to_last(read)
    assert sorted(order) == list(range(len(read)))
    assert all(order.index(other) < order.index(task) for task, others in enumerate(read) for other in others)
