"""The whole stage on a log small enough to work out by hand (`conftest`)."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3_server
from tfx.components.util import examples_utils
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components.event_logs.identity import row_hashes
from components.interactions.component import Interactions
from components.interactions.executor import Executor
from components.storage import stores
from components.storage.reading import LocalCopy
from models.recipe.errors import InputError

HOUR = 3_600_000_000


def positives(root: Path, split: str) -> pa.Table:
    with pa.OSFile(str(root / "interactions" / f"Split-{split}" / "interactions.arrow")) as file:
        return pa.ipc.open_file(file).read_all()


def parquet(root: Path, split: str, name: str = "items") -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(pq.read_table(root / "interactions" / f"Split-{split}" / f"{name}.parquet")))


def test_positives_by_hand(tmp_path: Path, make_log: Any, make_plan: Any, run: Any, caplog: Any) -> None:
    make_log(tmp_path)
    with caplog.at_level(logging.WARNING):
        output = run(tmp_path, make_plan())
    # Nobody took d.
    assert "1 positives have no value in 'user_id' or 'item_id'" in caplog.text
    assert artifact_utils.decode_split_names(output.split_names) == [
        "train",
        "eval",
        "items",
        "eval_items",
        "eval_queries",
    ]
    assert (output.span, output.version, output.get_int_custom_property("rows")) == (3, 2, 5)
    assert examples_utils.get_file_format(output) == "arrow_ipc"

    train = positives(tmp_path, "train").to_pydict()
    assert train["example_id"] == [1, 2, 4, 5, 6]
    assert train["time"] == [hour * HOUR for hour in (1, 2, 4, 4, 5)]
    assert train["weight"] == [1.0, 5.0, 5.0, 1.0, 1.0]
    # The feature reads a, b, c as 1, 2, 3; the codes are 0, 1, 2 and 3 for e, which only the eval split has.
    assert train["categorical"] == [[1, 1], [2, 2], [4, 3], [5, 1], [6, 1]]
    assert train["numeric"] == [[number, 0.0] for number in train["example_id"]]
    assert train["multivalued/tags"] == [[number] for number in train["example_id"]]
    assert train["history"] == [[-1, -1], [-1, -1], [1, -1], [2, -1], [3, 1]]
    assert train["item"] == [0, 1, 2, 0, 0]
    assert train["user"] == [0, 1, 0, 1, 0]
    assert train["item_row"] == [0, 1, 2, 0, 0]
    np.testing.assert_allclose(np.exp(train["log_q"]), [0.6, 0.2, 0.2, 0.6, 0.6], rtol=1e-6)

    evaluated = positives(tmp_path, "eval")
    assert evaluated.schema == positives(tmp_path, "train").schema
    found = evaluated.to_pydict()
    assert found["example_id"] == [8, 9, 10, 12, 13]
    assert found["history"] == [[1, 3], [2, 1], [1, 2], [-1, -1], [3, -1]]
    assert found["item"] == [1, 0, 3, 2, 2]
    assert found["user"] == [0, 0, 1, 2, 2]
    assert found["item_row"] == [1, 0, -1, 2, 2]
    # e: as if half a positive of five.
    np.testing.assert_allclose(np.exp(found["log_q"]), [0.2, 0.6, 0.1, 0.2, 0.2], rtol=1e-6)


def test_types_of_the_positives(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    run(tmp_path, make_plan())
    types = {field.name: field.type for field in positives(tmp_path, "train").schema}
    assert types == {
        "categorical": pa.list_(pa.int32(), 2),
        "numeric": pa.list_(pa.float32(), 2),
        "multivalued/tags": pa.list_(pa.int32(), 1),
        "history": pa.list_(pa.int32(), 2),
        "item": pa.int32(),
        "log_q": pa.float32(),
        "user": pa.int32(),
        "item_row": pa.int32(),
        "weight": pa.float32(),
        "example_id": pa.int64(),
        "time": pa.int64(),
    }


def test_item_tables_by_hand(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    run(tmp_path, make_plan())
    columns = ["item_id", "tags", "gatewise/last_seen", "gatewise/impressions", "gatewise/positives", "gatewise/prior"]
    before, after = parquet(tmp_path, "eval_items"), parquet(tmp_path, "items")
    assert before.columns == after.columns == columns
    assert before.rows() == [
        (b"a", [], 5 * HOUR, 3, 3, 0.0),
        (b"b", [], 3 * HOUR, 2, 1, 0.0),
        (b"c", [b"c", b"4"], 4 * HOUR, 1, 1, 0.0),
        (b"d", [b"d", b"6"], 6 * HOUR, 1, 1, 0.0),
    ]
    assert after.rows() == [
        (b"a", [], 8 * HOUR, 4, 4, 0.0),
        (b"b", [b"b", b"9"], 9 * HOUR, 4, 2, 0.0),
        (b"c", [b"c", b"10"], 10 * HOUR, 3, 3, 0.0),
        (b"d", [b"d", b"6"], 6 * HOUR, 1, 1, 0.0),
        (b"e", [b"e", b"8"], 8 * HOUR, 1, 1, 0.0),
    ]
    schema = pq.read_schema(tmp_path / "interactions" / "Split-items" / "items.parquet")
    lists = pa.types.is_large_list
    assert pa.types.is_large_binary(schema.field("item_id").type) and lists(schema.field("tags").type)


def test_priors_and_dropped_items_count_before_each_tables_moment(
    tmp_path: Path, make_log: Any, make_plan: Any, run: Any
) -> None:
    make_log(tmp_path)
    prior = {"kind": "popularity", "window": 2 * HOUR}
    run(tmp_path, make_plan(prior=prior, item_ttl=3 * HOUR))
    # Train ends at 6: everything but b was seen since 3 (b at 3 itself). From 4 to 6: a 2, c 1, d 1 positives.
    before = parquet(tmp_path, "eval_items")
    assert before["item_id"].to_list() == [b"a", b"b", b"c", b"d"]
    np.testing.assert_allclose(np.exp(before["gatewise/prior"]), np.array([2.5, 0.5, 1.5, 1.5]) / 6, rtol=1e-6)
    # The logs end at 12: only b and c were seen since 9. From 10 to 12: c 1 positive.
    after = parquet(tmp_path, "items")
    assert after["item_id"].to_list() == [b"b", b"c"]
    np.testing.assert_allclose(np.exp(after["gatewise/prior"]), np.array([0.5, 1.5]) / 2, rtol=1e-6)
    assert positives(tmp_path, "eval")["item_row"].to_pylist() == [1, 0, -1, 2, 2]


def test_queries_by_hand(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    run(tmp_path, make_plan())
    eval_queries = parquet(tmp_path, "eval_queries", "eval_queries")
    assert eval_queries.columns == ["user_id", "device", "history", "seen", "relevant"]
    # u2 then chose only e, which nobody could know.
    assert eval_queries.rows() == [
        (b"u1", [8], [b"a", b"c"], [b"a", b"c"], [b"a", b"b"]),
        (b"u3", [12], [], [], [b"c"]),
    ]
    run(tmp_path, make_plan(exclude_seen=True, history=1))
    assert parquet(tmp_path, "eval_queries", "eval_queries").rows() == [
        (b"u1", [8], [b"a"], [b"a", b"c"], [b"b"]),
        (b"u3", [12], [], [], [b"c"]),
    ]
    run(tmp_path, make_plan(max_queries=1))
    users = pl.DataFrame({"user_id": [b"u1", b"u3"]})
    smallest = int(np.argmin(row_hashes(users.rename({"user_id": "user"})).to_numpy()))
    assert parquet(tmp_path, "eval_queries", "eval_queries")["user_id"].to_list() == [users["user_id"][smallest]]


def test_impressions_as_positives_and_no_history(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    run(tmp_path, make_plan(tasks={"order": 2.0}, impression=0.5, history=0, history_feature=""))
    train = positives(tmp_path, "train")
    assert train["example_id"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert train["weight"].to_pylist() == [0.5, 2.5, 0.5, 2.5, 0.5, 0.5]
    assert "history" not in train.column_names
    assert parquet(tmp_path, "eval_queries", "eval_queries")["history"].to_list() == [[], [], []]


@pytest.mark.parametrize("files", [1, 2, 3])
def test_files_and_their_order_do_not_matter(
    tmp_path: Path, make_log: Any, make_plan: Any, run: Any, files: int
) -> None:
    plan = make_plan(prior={"kind": "rate", "window": 4 * HOUR}, item_ttl=9 * HOUR)
    written = []
    for name, options in (("one", {}), ("other", {"files": files, "seed": files})):
        make_log(tmp_path / name, **options)
        run(tmp_path / name, plan)
        found = sorted((tmp_path / name / "interactions").rglob("*.*"))
        written.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in found})
    assert len(written[0]) == 5
    assert written[0] == written[1]


def test_an_eval_split_without_examples(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path, evaluated=[])
    run(tmp_path, make_plan())
    assert positives(tmp_path, "eval").num_rows == 0
    assert positives(tmp_path, "eval").schema == positives(tmp_path, "train").schema
    assert parquet(tmp_path, "eval_queries", "eval_queries").shape == (0, 5)
    assert parquet(tmp_path, "items").equals(parquet(tmp_path, "eval_items"))


def test_nothing_to_learn_from(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path, train=[(b"u1", b"a", 1, 0, 0)])
    with pytest.raises(InputError, match="no example of the train split has a positive of click, order .* 'user_id'"):
        run(tmp_path, make_plan())
    make_log(tmp_path / "empty", train=[])
    with pytest.raises(InputError, match="name a task with positives, or make the train split longer"):
        run(tmp_path / "empty", make_plan())


def test_no_item_left(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    with pytest.raises(
        InputError,
        match=r"item_ttl: no item was shown within that time before logs.as_of .1970-01-01T12:00:00Z.*newest example is of "
        r"1970-01-01T10:00:00Z.*longer item_ttl",
    ):
        run(tmp_path, make_plan(item_ttl=HOUR))


def test_a_column_that_is_not_there(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    with pytest.raises(InputError, match=r"retrieval.user reads the column 'shopper'.*Their columns: user_id, item_id"):
        run(tmp_path, make_plan(user="shopper"))
    with pytest.raises(InputError, match="a tower reads the column 'price', which the examples do not have"):
        run(tmp_path, make_plan(item_columns=("price",)))


def test_examples_without_a_log(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path)
    (tmp_path / "examples" / "summary.json").write_text(json.dumps({"as_of": None}))
    with pytest.raises(InputError, match="Use `logs` instead of `examples`, or remove the section"):
        run(tmp_path, make_plan())


def test_raw_and_transformed_examples_out_of_step(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path, files=2)
    folder = tmp_path / "transformed_examples" / "Split-eval"
    one, other = sorted(folder.iterdir())
    content = one.read_bytes(), other.read_bytes()
    one.write_bytes(content[1])
    other.write_bytes(content[0])
    with pytest.raises(ValueError, match="do not hold the same examples in the same order"):
        run(tmp_path, make_plan())
    other.unlink()
    with pytest.raises(ValueError, match="files named like the raw ones"):
        run(tmp_path, make_plan())


def test_at_urls_of_an_object_store_as_in_folders(tmp_path: Path, make_log: Any, make_plan: Any, run: Any) -> None:
    make_log(tmp_path, files=2)
    plan = make_plan(prior={"kind": "rate", "window": 4 * HOUR})
    run(tmp_path, plan)
    stores._file_system.cache_clear()
    with s3_server.running("shop") as client:
        for path in tmp_path.rglob("*"):
            if path.is_file() and "interactions" not in path.parts:
                client.upload_file(str(path), "shop", path.relative_to(tmp_path).as_posix())
        run("s3://shop", plan)
        with LocalCopy("s3://shop/interactions") as copy:
            there = {path.relative_to(copy): path.read_bytes() for path in Path(copy).rglob("*.*")}
    stores._file_system.cache_clear()
    here = (tmp_path / "interactions").rglob("*.*")
    assert there == {path.relative_to(tmp_path / "interactions"): path.read_bytes() for path in here}
    assert len(there) == 5


def test_the_component(make_plan: Any) -> None:
    def channel(kind: type) -> Any:
        return channel_utils.as_channel([kind()])

    examples, graph = standard_artifacts.Examples, standard_artifacts.TransformGraph
    plan = make_plan().model_dump_json()
    component = Interactions(channel(examples), channel(examples), channel(graph), plan=plan, code="1")
    assert list(component.inputs) == ["examples", "transformed_examples", "transform_graph"]
    assert component.outputs["interactions"].type is standard_artifacts.Examples
    assert component.exec_properties == {"plan": plan, "code": "1"}
    assert component.executor_spec.executor_class is Executor
