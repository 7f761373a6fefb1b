"""`undrift up`: from a table to a served model, and what happens when it cannot be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

import undrift
from undrift.core.errors import BadInput

from .doors import Shell, ask, known_table

ROWS = 40
FORMS = {"binary": "probability", "multiclass": "probabilities", "regression": "value"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give an empty folder; what was served in it is stopped afterwards."""
    made = Shell(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "task"), [("breast_cancer", "binary"), ("wine", "multiclass"), ("diabetes", "regression")]
)
def test_served_numbers_are_the_packages_numbers(shell: Shell, name: str, task: str) -> None:
    """Raw rows over HTTP get, bit for bit, what the package answers offline."""
    table = known_table(name, shell.folder)
    up = shell.undrift("up", table.name, "--target", "target", "--json")
    assert up.code == 0, up.err
    loaded = undrift.load(up.json["version"], project=shell.folder)
    assert loaded.package.manifest.task == task
    rows = pl.read_csv(table).drop("target").head(ROWS)
    served = ask(up.json["url"], {"rows": rows.to_dicts()})
    assert [one["prediction"] for one in served] == loaded.predict(rows).tolist()
    if task == "regression":
        assert [one["value"] for one in served] == loaded.predict(rows).tolist()
    else:
        positive = loaded.package.manifest.positive
        offline = loaded.predict_proba(rows).tolist()
        told = [one["probability"] if task == "binary" else list(one["probabilities"].values()) for one in served]
        assert told == ([scores[positive] for scores in offline] if positive is not None else offline)


def test_a_second_run_does_only_what_is_missing(shell: Shell) -> None:
    """Up again: no event. After `down`: served again, nothing trained. The curl line works as it is printed."""
    table = known_table("wine", shell.folder)
    first = shell.undrift("up", table.name, "--target", "target")
    assert first.code == 0, first.err
    head = shell.undrift("audit", "verify", "--json").json["head"]
    again = shell.undrift("up", table.name, "--target", "target", "--json")
    assert (again.code, again.json["version"]) == (0, "model:wine@1")
    assert shell.undrift("audit", "verify", "--json").json["head"] == head
    assert shell.undrift("down", "wine").code == 0
    back = shell.undrift("up", table.name, "--target", "target", "--json")
    assert (back.code, len(ask(back.json["url"], {"row": pl.read_csv(table).drop("target").row(0, named=True)}))) == (
        0,
        1,
    )
    events = shell.undrift("history", "-n", "1000", "--json").json["events"]
    kinds = [event["kind"] for event in events]
    assert (kinds.count("run.started"), kinds.count("data.added")) == (1, 1)
    (admitted,) = [event for event in events if event["kind"] == "model.admitted"]
    assert (admitted["actor"], "model.approved" in kinds) == ("policy:first-release", False)
    assert "(unverified) asked by `undrift up`" in admitted["body"]["reason"]


def test_a_frame_is_brought_up_from_python(shell: Shell) -> None:
    """A pandas frame, its own types, and a word that is not known."""
    frame = pl.read_csv(known_table("wine", shell.folder)).to_pandas()
    found = undrift.up(frame, target="target", name="cellar", project=shell.folder)
    assert repr(found).startswith(f"<Up model:cellar@1 at {found.url}, learnt from data:cellar@1>\n  curl -s ")
    assert found.url in found._repr_html_()
    row = {key: float(value) for key, value in frame.drop(columns="target").iloc[0].items()}
    assert ask(found.url, {"row": row})[0]["model_version"] == "model:cellar@1"
    with pytest.raises(BadInput, match="colour"):
        undrift.up(frame, target="target", project=shell.folder, colour="red")


def test_the_same_rows_in_another_form_are_the_same_version(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """A file was served and taken down; its frame brings the same model back, and says why nothing is trained."""
    table = known_table("wine", shell.folder)
    assert shell.undrift("up", table.name, "--target", "target", "-d").code == 0
    assert shell.undrift("down", "wine").code == 0
    found = undrift.up(pl.read_csv(table), target="target", name="wine", project=shell.folder)
    assert (found.data.ref, found.version.ref) == ("data:wine@1", "model:wine@1")
    assert "data:wine@1 holds exactly these rows" in capsys.readouterr().err
    pl.read_csv(table).write_csv(shell.folder / "again.csv", separator=";")
    again = shell.undrift("up", "again.csv", "--name", "wine", "--target", "target", "--drop", "hue", "--json")
    assert "data:wine@1 holds exactly these rows: no new version" in again.err
    kinds = [event["kind"] for event in shell.undrift("history", "-n", "1000", "--json").json["events"]]
    assert kinds.count("data.added") == 1


def test_a_plan_makes_nothing(shell: Shell) -> None:
    """It says what would be made, for people and for programs."""
    table = known_table("wine", shell.folder)
    plan = shell.undrift("up", table.name, "--target", "target", "--plan", "--json")
    assert (plan.code, plan.json["target"]["task"], plan.json["scheme"]["kind"]) == (0, "multiclass", "stratified")
    assert "alcohol" in shell.undrift("up", table.name, "--target", "target", "--plan").out
    assert [path.name for path in shell.folder.iterdir()] == [table.name]


def test_a_column_that_knows_the_answer_stops_it(shell: Shell) -> None:
    """Exit code 4, nothing made; dropped or kept it goes on, and what was decided stands in the settings."""
    table = pl.read_csv(known_table("wine", shell.folder)).with_columns(
        code=pl.col("target").str.tail(1).cast(pl.Int64) * 7
    )
    table.write_csv(shell.folder / "wine.csv")
    stopped = shell.undrift("up", "wine.csv", "--target", "target", "--json")
    assert (stopped.code, stopped.json["error"]["code"]) == (4, "suspicious-columns")
    assert [one["column"] for one in stopped.json["sheet"]["suspicions"]] == ["code"]
    assert [path.name for path in shell.folder.iterdir()] == ["wine.csv"]
    gone_on = shell.undrift("up", "wine.csv", "--target", "target", "--drop", "code", "--json")
    assert gone_on.code == 0, gone_on.err
    assert 'drop = ["code"]' in (shell.folder / "undrift.toml").read_text()
    head = shell.undrift("audit", "verify", "--json").json["head"]
    again = shell.undrift("up", "wine.csv", "--target", "target", "--json")
    assert (again.code, shell.undrift("audit", "verify", "--json").json["head"]) == (0, head)


def test_a_later_version_is_proposed_until_somebody_decides(shell: Shell) -> None:
    """A newer table is learnt from, the live version stays; status prints the one command that decides."""
    random.seed(4)
    first, second = ([_customer(late=when) for _ in range(600)] for when in range(2))
    _write(shell.folder, first)
    assert shell.undrift("up", "shop.csv", "--target", "left", "--json").json["version"] == "model:shop@1"
    _write(shell.folder, first[300:] + second + second)
    proposed = shell.undrift("up", "shop.csv", "--target", "left", "--json")
    assert (proposed.code, proposed.json["version"], proposed.json["proposed"]) == (0, "model:shop@1", "model:shop@2")
    (command,) = (step for step in shell.undrift("status", "--json").json["endpoints"][0]["next"] if "approve" in step)
    assert "undrift approve model:shop@2 --deploy --reason" in command


def _customer(*, late: int) -> str:
    fee, calls = random.uniform(10, 90), random.choice([0, 0, 1, 2])
    price = (50 - fee if late else fee - 50) / 12
    return f"{fee:.2f},{calls},{'yes' if price + calls - 1 + random.gauss(0, 0.5) > 0 else 'no'}"


def _write(folder: Path, rows: list[str]) -> None:
    (folder / "shop.csv").write_text("fee,calls,left\n" + "\n".join(rows) + "\n")


def test_two_at_once_train_once(shell: Shell) -> None:
    """Whoever comes second waits, and answers the same."""
    known_table("wine", shell.folder)
    with ThreadPoolExecutor(2) as pool:
        words = ("up", "wine.csv", "--target", "target", "--json")
        first, second = pool.map(lambda _: shell.undrift(*words), range(2))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.json["url"] == second.json["url"]
    kinds = [event["kind"] for event in shell.undrift("history", "-n", "1000", "--json").json["events"]]
    assert (kinds.count("run.started"), kinds.count("endpoint.created")) == (1, 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [(["wine.csv", "--target", "colour"], "target-missing"), (["wine.txt", "--target", "target"], "not-a-table")],
)
def test_a_table_that_cannot_be_used_leaves_nothing(shell: Shell, words: list[str], code: str) -> None:
    """Exit code 2, the cure named, and not half a project."""
    known_table("wine", shell.folder)
    (shell.folder / "wine.txt").write_text("a,target\n1,2\n")
    refused = shell.undrift("up", *words, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, code)
    assert refused.json["error"]["cure"]
    assert sorted(path.name for path in shell.folder.iterdir()) == ["wine.csv", "wine.txt"]


def test_a_model_that_is_not_shown_to_be_better_is_not_served(shell: Shell) -> None:
    """Exit code 5 and the way on; forced, it is served and says so for ever. A name that is taken stays taken."""
    random.seed(2)  # a gate at 5 % lets one table of noise in twenty pass: seed 1 is one
    lines = [f"{random.random()},{random.choice(['yes', 'no'])}" for _ in range(200)]
    (shell.folder / "noise.csv").write_text("a,y\n" + "\n".join(lines) + "\n")
    refused = shell.undrift("up", "noise.csv", "--target", "y")
    assert refused.code == 5
    assert "--force --reason" in refused.err
    assert shell.undrift("endpoint", "list", "--json").json == {"endpoints": []}
    forced = shell.undrift("up", "noise.csv", "--target", "y", "--force", "--reason", "the plumbing first")
    assert forced.code == 0, forced.err
    assert shell.undrift("status", "--json").json["endpoints"][0]["forced"] == "the plumbing first"
    taken = shell.undrift("up", "noise.csv", "--target", "a", "--json")
    assert (taken.code, taken.json["error"]["code"]) == (2, "name-taken")
    assert len(shell.undrift("data", "log", "noise", "--json").json["versions"]) == 1
