"""Rows of files with their predictions: formats, columns that pass through, errors, kills."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq
import pytest

from models.recipe.errors import InputError
from pipeline.predicting import predict_table as module
from pipeline.predicting.predict_table import predict_table
from pipeline.run_lock import alone

ABSENT = ("who",)


def frame(count: int) -> pa.Table:
    """Rows of the small ranker with a row number; click is age + item / 8 + number of tags."""
    return pa.table(
        {
            "row": pa.array(range(count), pa.int32()),
            "age": pa.array([None if row % 5 == 0 else float(row) for row in range(count)]),
            "item": pa.array([8 * row for row in range(count)], pa.int64()),
            "tags": ["a|b" if row % 2 else None for row in range(count)],
        }
    )


def clicks(count: int) -> list[float]:
    return [(1.0 if row % 5 == 0 else row) + row + 2.0 * (row % 2) for row in range(count)]


def write(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=7)
        return path
    text = b""
    if ".csv" in path.name:
        sink = pa.BufferOutputStream()
        pc_csv.write_csv(table, sink)
        text = sink.getvalue().to_pybytes()
    else:
        text = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return (pl.read_csv(text) if ".csv" in path.name else pl.read_ndjson(text)).to_dicts()


@pytest.mark.parametrize("source", ["in.parquet", "in.csv", "in.csv.gz", "in.jsonl", "in.jsonl.gz"])
@pytest.mark.parametrize("output", ["out.parquet", "out.csv", "out.csv.gz", "out.jsonl", "out.jsonl.gz"])
def test_each_format(source: str, output: str, ranker: Path, tmp_path: Path) -> None:
    write(frame(20), tmp_path / source)
    found = predict_table(ranker, str(tmp_path / source), tmp_path / output, columns=["*"], absent=ABSENT, part=6)
    assert (found["rows_in"], found["rows_out"], found["rows_from_parts"]) == (20, 20, 0)
    assert found["columns"] == ["row", "age", "item", "tags", "click", "score"]
    rows = read(tmp_path / output)
    assert [float(row["click"]) for row in rows] == clicks(20)
    assert [float(row["score"]) for row in rows] == [2 * click for click in clicks(20)]
    assert [int(row["row"]) for row in rows] == list(range(20))
    assert [row["tags"] for row in rows[:3]] == [None, "a|b", None]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source, output])


def test_types_pass_through_unchanged(ranker: Path, tmp_path: Path) -> None:
    day, moment = datetime.date(2026, 11, 28), datetime.datetime(2026, 11, 28, 1, 2, 3, 456789)
    columns = {
        "age": pa.array([1.0, None], pa.float64()),
        "day": pa.array([day, None]),
        "moment": pa.array([moment, None], pa.timestamp("us", "Europe/Berlin")),
        "offset": pa.array([moment, None], pa.timestamp("ns", "+05:30")),
        "paid": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(12, 2)),
        "wide": pa.array([decimal.Decimal("1.50"), None], pa.decimal256(50, 2)),
        "list": pa.array([[1, None], None], pa.list_(pa.int16())),
        "struct": pa.array([{"a": 1, "b": ["x"]}, None]),
        "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([b"\xff", None]),
        "coded": pa.array(["x", None]).dictionary_encode(),
        "nothing": pa.nulls(2),
        "small": pa.array([7, None], pa.uint8()),
        "half": pa.array([7, None], pa.float32()),
        "text": pa.array(["007", ""], pa.large_string()),
        "a.b": pa.array([True, None]),
    }
    table = pa.table(columns).replace_schema_metadata({"note": "kept"})
    pq.write_table(table, tmp_path / "in.parquet")
    absent = ("who", "item", "tags")
    predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / "out.parquet", absent=absent, part=1)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(list(columns)).equals(pq.read_table(tmp_path / "in.parquet"))
    assert found.schema.names[-2:] == ["click", "score"] and found.schema.metadata[b"note"] == b"kept"
    assert found["click"].to_pylist() == [1.0, 1.0] and found.schema.field("click").type == pa.float32()
    # JSON lines have no type for bytes; CSV also none for lists.
    for ending, bad in (("jsonl", "column 'bytes': the type binary"), ("csv", r"column 'list': the type list<")):
        with pytest.raises(InputError, match=bad + ".* has no text in .*Write Parquet"):
            predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / f"out.{ending}", absent=absent)
    kept = ["day", "moment", "offset", "paid", "wide"]
    predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / "out.csv", columns=kept, absent=absent)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        '"day","moment","offset","paid","wide","click","score"',
        '2026-11-28,2026-11-28 02:02:03.456789+0100,2026-11-28 01:02:03.456789000Z,1.50,"1.50",1,2',
        ",,,,,1,2",
    ]
    kept = ["text", "paid", "day", "moment", "list"]
    predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / "out.jsonl", columns=kept, absent=absent)
    first, second = read(tmp_path / "out.jsonl")
    assert list(first) == [*kept, "click", "score"] and first["list"] == [1, None]
    assert (first["text"], first["paid"], first["day"]) == ("007", "1.50", "2026-11-28")
    assert second == dict.fromkeys(kept) | {"text": "", "click": 1.0, "score": 2.0}


def test_texts_of_csv_stay_as_they_are(ranker: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b'\xef\xbb\xbfage,code,note\n1.50,007,"a,""b""\nc"\n,"",\n')
    absent = ("who", "item", "tags")
    predict_table(ranker, str(tmp_path / "in.csv"), tmp_path / "out.parquet", absent=absent)
    assert pq.read_table(tmp_path / "out.parquet").select(["age", "code", "note"]).to_pydict() == {
        "age": ["1.50", None],
        "code": ["007", ""],
        "note": ['a,"b"\nc', None],
    }


def test_json_columns_have_the_type_of_all_values(
    ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the values are in different blocks; a line may leave a column out."""
    monkeypatch.setattr("pipeline.predicting.json_files.BLOCK", 20)
    lines = ['{"age": 1, "x": 1}', "", '{"age": 2.5, "y": [1]}', '{"age": null, "x": "a", "day": "2026-11-28"}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    absent = ("who", "item", "tags")
    predict_table(ranker, str(tmp_path / "in.jsonl"), tmp_path / "out.parquet", absent=absent)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {
        "age": [1.0, 2.5, None],
        "x": ["1", None, "a"],
        "y": [None, [1], None],
        "day": [None, None, "2026-11-28"],
        "click": [1.0, 2.5, 1.0],
        "score": [2.0, 5.0, 2.0],
    }


@pytest.mark.parametrize("path", ["", "*.parquet", "**/*.parquet"])
def test_folders_and_globs(path: str, ranker: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in [2026]" if not path else tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    table = frame(20)
    for name, part in (("a.parquet", table[:5]), ("b.parquet", table[5:5]), ("c.parquet", table[5:20])):
        write(part, folder / name)
    (folder / "_SUCCESS").touch()
    found = predict_table(ranker, str(folder / path), tmp_path / "out.parquet", absent=ABSENT, part=4)
    assert found["rows_in"] == 20
    assert pq.read_table(tmp_path / "out.parquet")["click"].to_pylist() == clicks(20)


def test_no_rows(ranker: Path, tmp_path: Path) -> None:
    write(frame(0), tmp_path / "in.parquet")
    assert predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / "out.parquet", absent=ABSENT)["rows_out"] == 0
    assert pq.read_table(tmp_path / "out.parquet").schema.names[-2:] == ["click", "score"]


def test_only_the_predictions(ranker: Path, tmp_path: Path) -> None:
    write(frame(9), tmp_path / "in.parquet")
    predict_table(ranker, str(tmp_path / "in.parquet"), tmp_path / "out.parquet", columns=[], absent=ABSENT, part=4)
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {
        "click": clicks(9),
        "score": [2 * click for click in clicks(9)],
    }


def wrong(table: pa.Table, **columns: Any) -> pa.Table:
    for name, values in columns.items():
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table if values is None else table.append_column(name, pa.array(values))
    return table


STAYS = 9


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"item": None}, {}, r"in.parquet: expected the model's columns who, age, item, tags; received row, age, tags. "
         "Lacking: item. Add them.*--missing item"),
        ({"click": [1] * STAYS}, {}, "has a column 'click', as the predictions do.*--prefix predicted_"),
        ({"p_score": [1] * STAYS}, {"prefix": "p_"}, "has a column 'p_score'"),
        ({}, {"columns": ["rwo"]}, "--columns rwo: .*no such column; did you mean 'row'"),
        ({}, {"columns": ["row", "row"]}, "--columns row: the column occurs twice"),
        ({}, {"absent": ("who", "itm")}, "--missing itm: the model reads no such column; did you mean 'item'"),
        ({}, {"absent": ("who", "item")}, "--missing item: the input has this column"),
        ({"age": [{"a": 1}] * STAYS}, {}, r"in.parquet, column 'age': expected a number of 32 bits, received the type struct"),
        ({"age": [datetime.date(2026, 1, 1)] * STAYS}, {}, r"column 'age': expected a number .* received the type date32"),
        ({"age": ["1"] * 7 + ["x", "1"]}, {}, r"in.parquet, row 8, column 'age': expected a number of 32 bits, received 'x'"),
        ({"item": [["1"]] * 8 + [["1", "2"]]}, {}, r"in.parquet, row 9, column 'item': expected one value, received"),
        ({}, {"output": "out.txt"}, "out.txt: expected a file that ends in .parquet"),
        ({}, {"output": "out.parquet.gz"}, "out.parquet.gz: expected a file that ends in .parquet"),
        ({}, {"input": "in.txt"}, "in.txt: expected a file that ends in"),
        ({}, {"input": "nowhere*.csv"}, "nowhere.*: no such file; expected a file, a folder or a glob"),
        ({}, {"input": "broken.parquet"}, "cannot read .*broken.parquet as parquet"),
        ({}, {"input": "broken.csv"}, "cannot read .*broken.csv as CSV: .*Expected 1 columns, got 2"),
        ({}, {"input": "broken.jsonl"}, r"broken.jsonl:3: not valid JSON"),
        ({}, {"input": "empty.csv"}, "cannot read .*empty.csv as CSV"),
        ({}, {"input": "twice.csv"}, "two columns have the name 'age'"),
        ({}, {"input": "br*"}, "expected files of one format, found .*broken.csv and .*broken.jsonl"),
    ],
)  # fmt: skip
def test_errors(columns: dict[str, Any], options: dict[str, Any], words: str, ranker: Path, tmp_path: Path) -> None:
    write(wrong(frame(STAYS), **columns), tmp_path / "in.parquet")
    (tmp_path / "in.txt").touch()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "broken.csv").write_text("age\n1\n1,2\n")
    (tmp_path / "broken.jsonl").write_text('{"age": 1}\n\n{"age": \n')
    (tmp_path / "twice.csv").write_text("age,age\n1,2\n")
    before = sorted(tmp_path.iterdir())
    more = {"absent": ABSENT, **options}
    path, output = str(tmp_path / more.pop("input", "in.parquet")), tmp_path / more.pop("output", "out.parquet")
    with pytest.raises(InputError, match=words):
        predict_table(ranker, path, output, **more, part=4)
    assert sorted(tmp_path.iterdir()) == before, "nothing half-written"


def test_files_that_differ(ranker: Path, tmp_path: Path) -> None:
    write(frame(3), tmp_path / "a.parquet")
    write(frame(3).set_column(0, "row", pa.array([0, 1, 2])), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="b.parquet, column 'row': expected int32 as in .*a.parquet, received int64"):
        predict_table(ranker, str(tmp_path), tmp_path / "out.csv", absent=ABSENT)
    write(frame(3).drop_columns(["age"]), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="b.parquet: expected the columns of .*a.parquet.*differ in age"):
        predict_table(ranker, str(tmp_path), tmp_path / "out.csv", absent=ABSENT)


@pytest.mark.parametrize("source", ["in.parquet", "in.csv", "in.jsonl"])
def test_a_killed_command_goes_on(source: str, ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second command computes only the rows without a part, and writes the bytes of a command without a kill."""
    path, output = write(frame(50), tmp_path / source), tmp_path / "out.parquet"
    predict_table(ranker, str(path), tmp_path / "whole.parquet", absent=ABSENT, part=8)
    asked: list[int] = []

    class Killed(module.Scorer):
        dies_at = 24

        def __call__(self, table: pa.Table) -> pa.RecordBatch:
            asked.append(table.num_rows)
            if "row" in table.column_names or table["item"][0].as_py() in (8 * self.dies_at, str(8 * self.dies_at)):
                raise KeyboardInterrupt
            return super().__call__(table)

    monkeypatch.setattr(module, "Scorer", Killed)
    with pytest.raises(KeyboardInterrupt):
        predict_table(ranker, str(path), output, absent=ABSENT, part=8)
    assert not output.exists() and len(list((tmp_path / ".out.parquet.parts").glob("*.arrow"))) == 3
    Killed.dies_at = -1
    asked.clear()
    said: list[str] = []
    found = predict_table(ranker, str(path), output, absent=ABSENT, part=8, say=said.append)
    assert asked == [8, 8, 8, 2] and found["rows_from_parts"] == 24
    assert said == ["24 rows are predicted already, by an earlier command."]
    assert output.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert not (tmp_path / ".out.parquet.parts").exists()


def test_a_kill_while_the_output_is_written(ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, output = write(frame(20), tmp_path / "in.parquet"), tmp_path / "out.parquet"
    output.write_text("old")

    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patches, pytest.raises(KeyboardInterrupt):
        patches.setattr(module, "_write", killed)
        predict_table(ranker, str(path), output, absent=ABSENT, part=8)
    assert output.read_text() == "old", "whole or unchanged"
    found = predict_table(ranker, str(path), output, absent=ABSENT, part=8, columns=["row"])
    assert found["rows_from_parts"] == 20, "other columns that pass through need no other predictions"
    assert pq.read_table(output)["click"].to_pylist() == clicks(20)


def test_parts_of_another_input_are_not_used(ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, output = write(frame(20), tmp_path / "in.parquet"), tmp_path / "out.parquet"
    with monkeypatch.context() as patches, pytest.raises(ZeroDivisionError):
        patches.setattr(module, "_write", lambda *_: 1 // 0)
        predict_table(ranker, str(path), output, absent=ABSENT, part=8)
    write(frame(30), path)
    assert predict_table(ranker, str(path), output, absent=ABSENT, part=8)["rows_from_parts"] == 0
    assert pq.read_table(output)["click"].to_pylist() == clicks(30)


def test_an_input_that_changes_while_it_is_read(ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(frame(20), tmp_path / "in.parquet")
    wrote = module._write

    def changing(*arguments: Any) -> int:
        write(frame(19), path)
        return wrote(*arguments)

    monkeypatch.setattr(module, "_write", changing)
    with pytest.raises(InputError, match="in.parquet: changed while it was read: 20 rows, then 19"):
        predict_table(ranker, str(path), tmp_path / "out.parquet", absent=ABSENT, part=8)
    assert [file.name for file in tmp_path.iterdir()] == ["in.parquet"]


def test_two_commands_with_one_output(ranker: Path, tmp_path: Path) -> None:
    path = write(frame(3), tmp_path / "in.parquet")
    with alone(tmp_path / ".out.csv.parts", "busy"), pytest.raises(InputError, match="another gatewise predict writes"):
        predict_table(ranker, str(path), tmp_path / "out.csv", absent=ABSENT)


def test_memory_is_bounded_by_the_batches(ranker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table has more rows than a part, and only a few batches are read ahead of the model."""
    path = write(frame(100), tmp_path / "in.parquet")
    read, done, ahead = [0], [0], [0]
    tables, call = module.Source.tables, module.Scorer.__call__

    def counted(self: Any, columns: Any, rows: int, skip: int = 0) -> Any:
        for table in tables(self, columns, rows, skip):
            assert table.num_rows <= 4
            read[0] += 1
            ahead[0] = max(ahead[0], read[0] - done[0])
            yield table

    def scored(self: Any, table: pa.Table) -> pa.RecordBatch:
        found = call(self, table)
        done[0] += 1
        return found

    monkeypatch.setattr(module.Source, "tables", counted)
    monkeypatch.setattr(module.Scorer, "__call__", scored)
    predict_table(ranker, str(path), None, columns=[], absent=ABSENT, part=4)
    assert done[0] == 25 and ahead[0] <= 6
