"""What can go wrong with pipelines.

::

    Fault
    ├── PipelineFailed       a step failed and its retries are used up
    ├── PipelineCancelled    somebody cancelled the run
    ├── PipelineBusy         another living process is running it
    └── StepLost             another process took the step over
    NotFound
    └── NoSuchPipelineRun
"""

from __future__ import annotations

from undrift.core.errors import Fault, NotFound


class PipelineFailed(Fault):
    """A pipeline run has ended in failure."""

    code = "pipeline-failed"


class PipelineCancelled(Fault):
    """A pipeline run was cancelled."""

    code = "pipeline-cancelled"


class PipelineBusy(Fault):
    """Another living process is running this pipeline run."""

    code = "pipeline-busy"


class StepLost(Fault):
    """A step's claim is stale: the run was cancelled or another process has claimed the step."""

    code = "step-lost"


class NoSuchPipelineRun(NotFound):
    """There is no pipeline run of this id."""

    code = "no-such-pipeline-run"
