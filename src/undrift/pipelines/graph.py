"""Steps and the graph they form, known before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Generic, TypeAlias, TypeVar

from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.ledger.ledger import Change

Rooms = TypeVar("Rooms")
Outputs: TypeAlias = "Mapping[str, JSON]"
Effect: TypeAlias = "Callable[[Change], Outputs]"


Tell: TypeAlias = "Callable[[str], None]"


def untold(words: str) -> None:
    """Return without telling anybody."""
    del words


class BadPipeline(BadInput):
    """A pipeline's steps do not form a graph."""

    code = "bad-pipeline"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step gives back.

    Attributes
    ----------
    outputs : mapping
        JSON for the steps after it: numbers, references, digests of blobs; never rows.
    effect : callable, optional
        What the step changes. It is called once, inside the transaction that marks the step
        as finished, so that both happen or neither; what it returns is added to the outputs.
        It must be short. A step that has one is never cached.
    """

    outputs: Outputs = field(default_factory=dict)
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may know.

    Attributes
    ----------
    run_id, step : str
        The pipeline run and the step's name in it.
    attempt : int
        1 for the first try.
    params : mapping
        The run's parameters that the step declared.
    inputs : mapping of str to mapping
        Outputs of the steps that it declared to come after.
    go_on : callable
        Raises when the run was cancelled or another process has taken the step over; long
        steps call it now and then.
    tell : callable
        Is told in words how far a long step is, for whoever watches this process; nothing is kept.
    """

    run_id: str
    step: str
    attempt: int
    params: Mapping[str, JSON]
    inputs: Mapping[str, Outputs]
    go_on: Callable[[], None]
    tell: Tell = untold


@dataclass(frozen=True, slots=True)
class Step(Generic[Rooms]):
    """One node of a pipeline.

    Attributes
    ----------
    name : str
        Unique in the pipeline.
    run : callable
        ``(context, rooms) -> StepResult``. Run at least once; its effect exactly once.
    after : tuple of str
        Steps that must be finished first; it sees the outputs of these and no others.
    params : tuple of str
        Parameters of the run that it reads; it sees no others.
    retries : int
        How many times it is tried again after an error.
    cache : bool
        Whether an earlier result for the same code, parameters, inputs and libraries may
        stand for running it. Only for steps that depend on nothing else.
    """

    name: str
    run: Callable[[StepContext, Rooms], StepResult]
    after: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    retries: int = 0
    cache: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline(Generic[Rooms]):
    """A named graph of steps and the rooms its steps work with.

    Attributes
    ----------
    name : str
        Its name in the journal.
    steps : tuple of Step
        In any order; the order of running is topological, ties as written.
    rooms : object
        Handed to every step.
    on_stop : callable, optional
        ``(change, run_id, state, reason)``, called in the change that marks a run as failed
        or cancelled.

    Raises
    ------
    BadPipeline
        If a name is used twice, a step follows an unknown one, or there is a circle.
    """

    name: str
    steps: tuple[Step[Rooms], ...]
    rooms: Rooms
    on_stop: Callable[[Change, str, str, str], None] | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "pipeline")
        names = [check_name(step.name, "step") for step in self.steps]
        if len(set(names)) != len(names):
            raise BadPipeline(f"pipeline {self.name} names a step twice", cure="give each step its own name")
        for step in self.steps:
            for earlier in step.after:
                if earlier not in names:
                    raise BadPipeline(f"step {step.name} comes after {earlier!r}, which is not a step")
        self.order()

    def order(self) -> tuple[str, ...]:
        """Return the names of the steps in the order of running.

        Raises
        ------
        BadPipeline
            If the steps wait for each other in a circle.
        """
        sorter = TopologicalSorter({step.name: step.after for step in self.steps})
        try:
            return tuple(sorter.static_order())
        except CycleError as error:
            raise BadPipeline(f"pipeline {self.name} runs in a circle: {' > '.join(error.args[1])}") from error

    def step(self, name: str) -> Step[Rooms]:
        """Return the step of a name.

        Raises
        ------
        BadPipeline
            If the pipeline has no such step, for instance because its code changed.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise BadPipeline(f"pipeline {self.name} has no step {name!r} any more", cure="submit a new run")
