"""What ``undrift.toml`` may say: the one typed place of a project's settings."""

from __future__ import annotations

import difflib
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from undrift.core.errors import BadInput, NotFound
from undrift.core.ids import check_name
from undrift.core.inferred import Inferred

FILE_NAME = "undrift.toml"
STORE = ".undrift"
"""The folder beside it that holds everything else."""
Share: TypeAlias = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Hours: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Gigabytes: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Percent: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=100)]
LogMode: TypeAlias = Literal["written", "durable", "async"]
Task: TypeAlias = Literal["auto", "binary", "multiclass", "regression"]


class BadSettings(BadInput):
    """The settings file cannot be used as it stands."""

    code = "bad-settings"


class ProjectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[project]``: what this project is called."""

    name: str = "project"


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[store]``: where the ledger lives, and how much is kept for readers.

    Attributes
    ----------
    url : str or None
        A ``postgresql://`` URL; without it the ledger is SQLite in ``.undrift/``.
    cache_gb : float
        How many gigabytes of whole files are kept for those who read tables again; the rest is put together anew.
    """

    url: str | None = None
    cache_gb: Gigabytes = 20.0


class ClockSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[clock]``: real time, or a simulated one that starts at ``start`` (demo and replays only)."""

    kind: Literal["real", "simulated"] = "real"
    start: datetime | None = None


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[policy]``: who promotes a version that passed its gate: a person (``ask``) or this policy (``auto``)."""

    promotion: Literal["ask", "auto"] = "ask"
    reason: str = ""


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[privacy]``: what becomes of personal data.

    Attributes
    ----------
    retention_days : int
        Rows of the prediction log and of the quarantine are erased when they are older.
    mask : bool
        Whether columns and keys that look personal are replaced by a keyed hash in the prediction
        log, the quarantine, profiles and check reports.
    """

    retention_days: Positive = 90
    mask: bool = True


class DatasetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[datasets.NAME]``: how files of a dataset are read, and which of its columns are personal.

    Attributes
    ----------
    delimiter : str or None
        The character between cells; by default found in the file.
    encoding : str or None
        The file's encoding; by default found in the file.
    day_first, month_first : list of str
        Columns whose dates are written 31/12/2013, or 12/31/2013; needed only where both would do.
    decimal_comma, decimal_point : list of str
        Columns whose numbers are written 1.234,5, or 1,234.5; needed only where both would do.
    as_text : list of str
        Columns whose cells stay text, whatever they look like.
    personal, not_personal : list of str
        Columns that are personal data, or are not, whatever they look like.
    watch : str or None
        A folder, relative to the project: each new or changed file in it is appended at the next pass of the loop,
        through the dataset's suite when one is frozen.
    anomalies : {"warn", "fail"}
        What becomes of a batch that is unlike those before it: it is told, or refused.
    anomaly_alpha : float
        Probability that a batch like all others is said to be unlike them, over all that is compared.
    """

    delimiter: str | None = None
    encoding: str | None = None
    day_first: tuple[str, ...] = ()
    month_first: tuple[str, ...] = ()
    decimal_comma: tuple[str, ...] = ()
    decimal_point: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    not_personal: tuple[str, ...] = ()
    watch: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    anomalies: Literal["warn", "fail"] = "warn"
    anomaly_alpha: Share = 0.01


class RemoteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[remotes.NAME]``: where versions of data are pushed to and pulled from.

    Attributes
    ----------
    url : str
        ``s3://BUCKET/PREFIX``, ``gs://...``, ``az://...`` or a folder, relative to the project. Credentials come from
        the environment and never stand here.
    """

    url: Annotated[str, msgspec.Meta(min_length=1)]


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[models.NAME]``: what to learn from which table, and how it is judged.

    Attributes
    ----------
    dataset : str
        Name of the dataset.
    target : str
        The column to predict.
    task : {"auto", "binary", "multiclass", "regression"}
        Kind of prediction; ``auto`` looks at the target.
    positive : str, int, bool or None
        The class whose probability is the answer of a binary model.
    time : str or None
        Column with the moment a row is about; the newest rows become the holdout.
    label_time : str or None
        Column with the moment the row's label was known; rows labelled later than the
        training's moment are not used.
    unit : str or None
        What is independent of what: ``"day"`` (of ``time``), ``"row"`` or a column whose
        equal values belong together. By default days where there is a time, else rows.
    key : str or None
        Column that identifies a row for callers and labels; never a feature.
    features : list of str
        Which columns to learn from; by default all that can be.
    drop : list of str
        Which columns never to learn from.
    keep : list of str
        Columns to learn from although they look like a leak of the target, personal or empty; the
        model card says so for ever.
    text : list of str
        Columns of free text to learn from, by hashed words.
    calendar : list of str
        Which columns carry the calendar and are no reason for a drift alarm.
    holdout_days : int
        Size of the holdout where rows have a time: the newest so many days.
    holdout_share : float
        Size of the holdout where they have none.
    train_days : int or None
        Learn only from so many days before the holdout.
    metric : str or None
        What the gate compares; by default what the champion's own gate compared, and for a first
        version AUC (PR AUC where a class has under 20 % of the rows), log loss (multiclass) or MAE.
    margin : float
        By how much a challenger must be better.
    alpha : float
        The gate's stated error.
    threshold : float or {"auto", "half", "prevalence"}
        Where a binary answer turns positive.
    false_positive_cost, false_negative_cost : float or None
        With both, the threshold is the one of least expected cost.
    candidates : list of str
        Which kinds of model compete; none named: all that are installed.
    folds : int
        Folds of the comparison.
    max_rows : int or None
        Learn from at most so many rows: the same share of each class, or of each day, or whole
        groups; stated.
    calibrate : {"auto", "never"}
        Whether probabilities are repaired where they are shown to be off.
    budget_s : float or None
        Seconds that comparing and fitting may take, as estimated before; a sample is learnt from
        where all rows would take longer.
    owner, intended_use, excluded_use : str
        For the model card.
    seed : int
        Of everything random in training.
    inferred : list of tables
        What ``undrift up`` chose, each with ``setting``, ``value`` and ``reason``; reports and cards tell it. A
        value that you change above is yours from then on.
    """

    dataset: str
    target: str
    task: Task = "auto"
    positive: str | int | bool | None = None
    time: str | None = None
    label_time: str | None = None
    unit: str | None = None
    key: str | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    holdout_days: Positive = 14
    holdout_share: Share = 0.25
    train_days: Positive | None = None
    metric: str | None = None
    margin: float = 0.0
    alpha: Share = 0.05
    threshold: Share | Literal["auto", "half", "prevalence"] = "auto"
    false_positive_cost: float | None = None
    false_negative_cost: float | None = None
    candidates: tuple[str, ...] = ()
    folds: Annotated[int, msgspec.Meta(ge=2, le=20)] = 5
    max_rows: Positive | None = None
    calibrate: Literal["auto", "never"] = "auto"
    budget_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    owner: str = ""
    intended_use: str = ""
    excluded_use: str = ""
    seed: int = 0
    inferred: tuple[Inferred, ...] = ()


class EndpointSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[endpoints.NAME]``: how an endpoint serves and how a canary on it is judged.

    Attributes
    ----------
    model : str or None
        The model behind it; by default the one of the same name.
    steps : list of float
        The canary's share of traffic in percent, step by step, up to 100.
    alpha : float
        Stated probability of a false rollback, over the whole rollout.
    error_margin, quality_margin : float
        By how much the canary's error rate and mean loss may be worse.
    slo_ms : float
        An answer slower than this counts as slow.
    slow_margin : float
        By how much the canary's share of slow answers may be larger.
    min_requests : int
        Answers of the canary before it may take its next step.
    labels : {"required", "if-any", "none"}
        Whether promotion waits for the quality that labels show: always, when any label came, never.
    label_age_hours : float
        A label counts when its prediction is at least so old; set it to the time that the slow
        labels take when that time depends on the label.
    max_days : float
        A canary without an answer for so long asks for a decision.
    log_mode : {"written", "durable", "async"}
        What an acknowledged prediction survives: kill -9, power loss, nothing.
    host, port : str, int
        Where it listens; port 0 lets the system choose.
    workers : int
        Scoring processes.
    """

    model: str | None = None
    steps: tuple[Percent, ...] = (5.0, 25.0, 100.0)
    alpha: Share = 0.05
    error_margin: Share = 0.01
    quality_margin: Share = 0.02
    slo_ms: Annotated[float, msgspec.Meta(gt=0)] = 50.0
    slow_margin: Share = 0.05
    min_requests: Positive = 100
    labels: Literal["required", "if-any", "none"] = "if-any"
    label_age_hours: Hours = 0.0
    max_days: Annotated[float, msgspec.Meta(gt=0)] = 14.0
    log_mode: LogMode = "written"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    workers: Positive = 1


class MonitorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[monitor.NAME]``: the windows of an endpoint and what happens when a rule is broken.

    Attributes
    ----------
    window_days : int
        Span of a window in event time. Where days are the units, fewer than 20 of them tell nothing.
    step_days : int
        A window begins so many days after the one before.
    alpha : float
        Stated false-alarm rate of a window, over all columns.
    cooldown_hours : float
        No second retraining within this time.
    max_performance_drop : float or None
        Open an incident when a window's metric is worse than the gate's by more than this.
    retrain : bool
        Whether an incident starts a training (when there are new labelled rows).
    """

    window_days: Positive = 28
    step_days: Positive = 7
    alpha: Share = 0.01
    cooldown_hours: Hours = 24.0
    max_performance_drop: float | None = None
    retrain: bool = True


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that ``undrift.toml`` says."""

    project: ProjectSettings = ProjectSettings()
    store: StoreSettings = StoreSettings()
    clock: ClockSettings = ClockSettings()
    policy: PolicySettings = PolicySettings()
    privacy: PrivacySettings = PrivacySettings()
    datasets: dict[str, DatasetSettings] = {}
    remotes: dict[str, RemoteSettings] = {}
    models: dict[str, ModelSettings] = {}
    endpoints: dict[str, EndpointSettings] = {}
    monitor: dict[str, MonitorSettings] = {}

    def model(self, name: str) -> ModelSettings:
        """Return the settings of a model.

        Raises
        ------
        NotFound
            If the file has no such model.
        """
        found = self.models.get(name)
        if found is None:
            raise NotFound(
                f"there is no model {name!r} in {FILE_NAME}{_nearest(name, self.models)}",
                cure=f"add a [models.{name}] table with dataset and target",
            )
        return found

    def dataset(self, name: str) -> DatasetSettings:
        """Return the settings of a dataset; one that the file does not name has the defaults."""
        return self.datasets.get(name, DatasetSettings())

    def endpoint(self, name: str) -> EndpointSettings:
        """Return the settings of an endpoint; one that the file does not name has the defaults."""
        return self.endpoints.get(name, EndpointSettings())

    def monitoring(self, name: str) -> MonitorSettings:
        """Return the settings of an endpoint's monitor; one that the file does not name has the defaults."""
        return self.monitor.get(name, MonitorSettings())


def root_of(folder: Path) -> Path | None:
    """Return the folder of the project that a folder lies in, None when it lies in none."""
    start = folder.resolve()
    return next(
        (one for one in (start, *start.parents) if (one / STORE).is_dir() and (one / FILE_NAME).is_file()), None
    )


def load(path: Path) -> Settings:
    """Return the settings of a file.

    Parameters
    ----------
    path : Path
        The ``undrift.toml``.

    Raises
    ------
    NotFound
        If there is no such file.
    BadSettings
        If it is not TOML, has an unknown key, or a value of the wrong type or range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"there is no {path}", cure="run `undrift init` in the project's folder") from error
    return parse(text, str(path))


def parse(text: str, origin: str = FILE_NAME) -> Settings:
    """Return the settings of a TOML text; ``origin`` names it in errors.

    Parameters
    ----------
    text : str
        The TOML text.
    origin : str
        Names it in errors.

    Raises
    ------
    BadSettings
        If it is not TOML, or a key or a value is not one of the settings.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{origin} is not TOML: {error}", cure="correct the line it names") from error
    _refuse_unknown(document, Settings, "", origin)
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{origin}: {error}", cure="correct the value it names") from error
    _check(settings, origin)
    return settings


def _refuse_unknown(table: dict[str, Any], struct: type, path: str, origin: str) -> None:  # Any: TOML values
    known = get_type_hints(struct)
    for key, value in table.items():
        if key not in known:
            raise BadSettings(
                f"{origin}: unknown key '{path}{key}'{_nearest(key, known)}",
                cure=f"known here: {', '.join(sorted(known))}",
                key=f"{path}{key}",
                file=origin,
            )
        _refuse_below(value, known[key], f"{path}{key}.", origin)


def _refuse_below(value: Any, annotation: Any, path: str, origin: str) -> None:  # Any: TOML value, typing object
    if not isinstance(value, dict):
        return
    if get_origin(annotation) is dict:
        inner = get_args(annotation)[1]
        for name, below in value.items():
            _refuse_below(below, inner, f"{path}{name}.", origin)
    elif isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        _refuse_unknown(value, annotation, path, origin)


def _check(settings: Settings, origin: str) -> None:
    for name in (*settings.remotes, *settings.datasets, *settings.models, *settings.endpoints, *settings.monitor):
        check_name(name, "dataset, model, endpoint or remote")
    if settings.policy.promotion == "auto" and not settings.policy.reason:
        raise BadSettings(
            f'{origin}: policy.promotion = "auto" needs policy.reason',
            cure="say in one sentence why nobody is asked",
        )
    if settings.clock.kind == "simulated" and (settings.clock.start is None or settings.clock.start.tzinfo is None):
        raise BadSettings(
            f"{origin}: a simulated clock needs clock.start with a time zone", cure="e.g. 2013-02-01T00:00:00Z"
        )
    for name, model in settings.models.items():
        _check_model(name, model, origin)
    for name, endpoint in settings.endpoints.items():
        if list(endpoint.steps) != sorted(set(endpoint.steps)) or endpoint.steps[-1:] != (100.0,):
            raise BadSettings(f"{origin}: endpoints.{name}.steps must rise to 100", cure="e.g. [5, 25, 100]")


def _check_model(name: str, model: ModelSettings, origin: str) -> None:
    where = f"{origin}: models.{name}"
    if model.unit == "day" and model.time is None:
        raise BadSettings(f'{where}.unit = "day" needs a time column', cure=f"set models.{name}.time")
    if model.label_time is not None and model.time is None:
        raise BadSettings(f"{where}.label_time needs a time column", cure=f"set models.{name}.time")
    if model.target in model.features:
        raise BadSettings(f"{where}: the target {model.target!r} is among the features", cure="remove it")
    if (model.false_positive_cost is None) != (model.false_negative_cost is None):
        raise BadSettings(f"{where} has one cost without the other", cure="give both costs or none")


def _nearest(key: str, known: dict[str, Any]) -> str:  # Any: only the keys matter
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""
