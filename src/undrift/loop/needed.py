"""What a retraining waits for: rows with labels; how many answers have one, and how to send what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from undrift.core.json import JSON
from undrift.endpoints.state import EndpointState
from undrift.loop.retraining import advice_for, new_labelled_rows
from undrift.monitoring.advice import CURED_BY_TRAINING
from undrift.monitoring.incident import Incident
from undrift.project import Project

_LOOK_BACK = timedelta(days=28)
_FEWEST_UNITS = 20


@dataclass(frozen=True, slots=True)
class Needed:
    """Why no retraining starts although an incident asks for one.

    Attributes
    ----------
    model, dataset, endpoint : str
        Names.
    new_rows : int
        Rows of the dataset that the newest training has not seen.
    answered, keyed, labelled : int
        Answers of the live version in the last four weeks: all, those whose request carried a key, those
        whose label is known.
    """

    model: str
    dataset: str
    endpoint: str
    new_rows: int
    answered: int
    keyed: int
    labelled: int

    @property
    def lines(self) -> list[str]:
        """What is missing, in numbers, and the commands that bring it."""
        return [
            (
                f"data:{self.dataset} has {self.new_rows} rows that model:{self.model} has not learnt from; 1 starts a "
                f"retraining, and under {_FEWEST_UNITS} rows or days of holdout its gate cannot tell"
            ),
            f"{self.answered:,} answers in 28 days: {self.keyed:,} asked with a key, {self.labelled:,} labelled",
            *self.commands,
        ]

    @property
    def commands(self) -> list[str]:
        """The commands that bring labelled rows."""
        told = [f"undrift data add FILE --name {self.dataset} --append (whole rows)"]
        if not self.answered:
            return told
        if self.labelled:
            told.append(f"undrift label learn {self.endpoint} (the {self.labelled:,} answers that are labelled)")
        about = "KEY" if self.keyed else "prediction_id"
        told.append(f"undrift label add FILE --on {about} --learn --endpoint {self.endpoint} (labels of answers)")
        if not self.keyed:
            told.append('requests carry no key yet: send "key" with each, or keep the id of each answer')
        return told

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        return {
            "dataset": f"data:{self.dataset}",
            "new_rows": self.new_rows,
            "answered": self.answered,
            "keyed": self.keyed,
            "labelled": self.labelled,
            "fewest_units": _FEWEST_UNITS,
            "commands": list(self.commands),
        }


def needed_for(project: Project, endpoint: EndpointState) -> Needed | None:
    """Return what the open incidents of an endpoint wait for, None when it is not labelled rows; it only reads."""
    model = endpoint.stable.model
    if model not in project.settings.models:
        return None
    advice = advice_for(project, model, [endpoint])
    new_rows = new_labelled_rows(project, model)
    if advice.action != "wait" or new_rows >= 1:
        return None
    from undrift.loop.watching import watched  # heavy: only when something is wrong
    from undrift.monitoring.spans import Span
    from undrift.monitoring.traffic import Folders, read

    now = project.clocks.business.now()
    span = Span(0, now - _LOOK_BACK, now + timedelta(days=1))
    version = watched(project, endpoint).version
    traffic = read(Folders.below(project.store, endpoint.name), version, span).answered()
    return Needed(
        model=model,
        dataset=project.settings.model(model).dataset,
        endpoint=endpoint.name,
        new_rows=max(new_rows, 0),
        answered=traffic.rows,
        keyed=traffic.rows - traffic.table["key"].null_count(),
        labelled=traffic.labelled().rows,
    )


def waits_for(project: Project, incident: Incident) -> Needed | None:
    """Return what an incident waits for, None when it is closed, or waits for something else."""
    if not incident.is_open or incident.kind not in CURED_BY_TRAINING:
        return None
    state = project.endpoints.find(incident.endpoint)
    return needed_for(project, state) if state is not None else None
