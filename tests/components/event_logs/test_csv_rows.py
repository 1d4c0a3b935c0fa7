"""Quotes anywhere in a CSV: no row is read over without a word."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

from components.event_logs import csv_lines, csv_rows
from components.event_logs.column_plan import CsvPlan
from models.recipe.errors import InputError

MYSQL = CsvPlan(delimiter="\t", quote=None, escape="\\", header=("a", "b", "c"))
SPARK = CsvPlan(escape="\\")


def read(path: Path, dialect: CsvPlan | None = None, block_bytes: int = 1 << 20) -> tuple[dict, dict]:
    """({row: values}, {row: line} of the broken ones)."""
    rows, broken = {}, {}
    for block in csv_lines.read(str(path), dialect, block_bytes):
        rows |= dict(zip(block.rows.tolist(), block.frame.rows(), strict=True))
        broken |= {line.row: json.loads(line.raw)["line"] for line in block.broken}
    return rows, broken


def values_of(text: str, **dialect: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), **dialect) if row]


@pytest.mark.parametrize(("seed", "block_bytes"), [(1, 1 << 20), (2, 120), (3, 400)])
def test_a_stray_quote_anywhere_loses_no_row_silently(tmp_path: Path, seed: int, block_bytes: int) -> None:
    generator = random.Random(seed)
    path, ends = tmp_path / "a.csv", {"read": 0, "dead": 0, "stopped": 0}
    for _ in range(400):
        texts = ["x", "", "5cm", "a, b", 'say ""hi""', "é"]
        lines = []
        for number in range(generator.randrange(1, 12)):
            fields = [str(number), *generator.choices(texts, k=2)]
            lines.append(",".join(f'"{f}"' if generator.random() < 0.3 or "," in f or '"' in f else f for f in fields))
        meant = {number: tuple(v or None for v in values_of(line)[0]) for number, line in enumerate(lines)}
        touched = set()
        for _ in range(generator.randrange(3)):
            number = generator.randrange(len(lines))
            place = generator.choice([0, *range(len(lines[number]) + 1)])
            lines[number] = lines[number][:place] + '"' + lines[number][place:]
            touched.add(number)
        ending = generator.choice(["\n", "\r\n"])
        text = ending.join(["a,b,c", *lines]) + generator.choice(["", ending])
        path.write_text(text, newline="")
        try:
            rows, broken = read(path, None, block_bytes)
        except InputError as error:
            said = re.match(rf"{path}, line (\d+): .*quote", str(error))
            assert said and int(said[1]) - 2 in touched, (text, str(error))
            ends["stopped"] += 1
            continue
        assert set(rows) | set(broken) == set(range(len(lines))) and not set(rows) & set(broken), text
        for number, values in rows.items():
            expected = meant[number] if number not in touched else None
            if expected is None:
                [found] = values_of(lines[number])
                expected = tuple(value or None for value in found)
            assert values == expected, text
        assert set(broken) <= touched
        ends["dead" if broken else "read"] += 1
    assert min(ends.values()) > 40, ends


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        (CsvPlan(multiline=True), {}),
        (CsvPlan(multiline=True, delimiter=";", quote="'"), {"delimiter": ";", "quotechar": "'"}),
        (CsvPlan(multiline=True, escape="\\"), {"escapechar": "\\", "doublequote": False}),
        (CsvPlan(delimiter="\t", quote=None, escape="\\", multiline=True),
         {"delimiter": "\t", "escapechar": "\\", "quoting": csv.QUOTE_NONE}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block_bytes", [80, 250, 1 << 20])
def test_what_python_writes_is_read_across_blocks(
    tmp_path: Path, dialect: CsvPlan, written: dict, block_bytes: int
) -> None:
    generator = random.Random(block_bytes)
    path = tmp_path / "a.csv"
    for _ in range(60):
        rows = [
            ["".join(generator.choices("ab\"'\n,;\t\\é", k=generator.randrange(1, 9))) for _ in range(3)]
            for _ in range(generator.randrange(20))
        ]
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator=generator.choice(["\n", "\r\n"]), **written)
            writer.writerows([["a", "b", "c"], *rows])
        found, broken = read(path, dialect, block_bytes)
        assert not broken and found == {number: tuple(row) for number, row in enumerate(rows)}


def test_the_fast_scan_is_the_slow_one() -> None:
    generator, fast = random.Random(4), 0
    for _ in range(4000):
        text = "".join(generator.choices('a,"\n', weights=[2, 3, 3, 2], k=generator.randrange(1, 14))).encode() + b'"'
        breaks = np.flatnonzero(np.frombuffer(text, np.uint8) == 10)
        quick = csv_rows._by_parity(np.frombuffer(text, np.uint8), breaks, CsvPlan())
        slow = csv_rows._by_value(text, breaks, CsvPlan())
        if quick is not None:
            fast += 1
            assert quick.inside.tolist() == slow.inside.tolist() and not len(slow.torn), text
            assert quick.open_at == slow.open_at, text
    assert fast > 400


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['1,"x,3', *["2,y,3"] * 9], "line 3: a quote opens a value here and never closes"),
        (['1,"x,3', *["2,y,3"] * 200], "line 3: a quote opens a value here that continues for more than 100 lines"),
        (['1,"x,3', *["2,y,3"] * 2, '2,y",3'], "line 3: a quote opens a value here that spans lines which look"),
        (['1,"x,3', '2,"y,3'], "line 3: a quote opens a value here that spans lines which look like separate rows"),
        (['1,"x', '2,"y"', "3,y,3"], "line 3: text after the closing quote of a CSV value of several lines"),
        (['1,"x"",3', "2,y,3"], "line 3: a quote opens a value here and never closes"),
        (['1,"x\n' + "\n" * 100 + '",3'], "line 3: a quote opens a value here that continues for more than 100 lines"),
    ],
)
@pytest.mark.parametrize("block_bytes", [40, 1 << 20])
def test_where_a_quote_swallows_rows_the_run_stops(
    tmp_path: Path, lines: list[str], said: str, block_bytes: int
) -> None:
    (tmp_path / "a.csv").write_text("\ufeff" + "\n".join(["a,b,c", "0,x,3", *lines]))
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.csv", None, block_bytes)
    assert f"a.csv, {said}" in str(error.value) and "`quote: null`" in str(error.value)


def test_texts_of_a_few_lines_and_as_many_as_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"one,\ntwo, three, four\n\nfive",3\n4,"\r\n",6\n')
    assert read(path) == ({0: ("1", "one,\ntwo, three, four\n\nfive", "3"), 1: ("4", "\r\n", "6")}, {})
    path.write_text('a,b,c\n1,"p, q,\nr, s, t",3\n4,"' + "x\n" * 300 + '",6\n')
    rows, broken = read(path, CsvPlan(multiline=True))
    assert rows == {0: ("1", "p, q,\nr, s, t", "3"), 1: ("4", "x\n" * 300, "6")} and not broken
    with pytest.raises(InputError, match=r"a\.csv, line 2: .*look like separate rows\..*`multiline: true`"):
        read(path)


def test_a_row_with_text_after_a_quote_is_broken_and_one_with_a_quote_in_a_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b,c\n1,"x"y,3\n2,5" tv,3\n3,"x" ,3\n4,"q",3\n5,"a"b')
    rows, broken = read(tmp_path / "a.csv")
    assert rows == {1: ("2", '5" tv', "3"), 3: ("4", "q", "3")}
    assert broken == {0: '1,"x"y,3', 2: '3,"x" ,3', 4: '5,"a"b'}


def test_files_of_spark_and_mysql(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"TV 42\\"",C:\\new\n2,"say \\"hi\\", \\\\",\\N\n3,"",""\n')
    assert read(path, SPARK)[0] == {
        0: ("1", 'TV 42"', "C:\\new"),
        1: ("2", 'say "hi", \\', "\\N"),
        2: ("3", None, None),
    }
    with pytest.raises(InputError, match=r'a\.csv, line 2: .*`escape: "\\\\"`'):
        read(path)
    path.write_text('1\ta\\\tb\\\nc\t\\N\n2\t"x\t\\\\N\n')
    assert read(path, MYSQL)[0] == {0: ("1", "a\tb\nc", "\\N"), 1: ("2", '"x', "\\N")}
