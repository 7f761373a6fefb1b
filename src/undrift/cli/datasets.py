"""``undrift data ...``: its commands by name; each is imported when it runs."""

from __future__ import annotations

from undrift.cli.command import LazyGroup

data = LazyGroup(
    "data",
    help="Data versions and checks.",
    entries={
        "add": ("undrift.cli.adding:add", "Add a file, a folder, a query or a bucket as a version, or a batch."),
        "status": ("undrift.cli.workspace:status", "Compare the workspace with the versions it was added from."),
        "check": ("undrift.cli.checks:check", "Check a version, or a file, against a suite."),
        "profile": ("undrift.cli.profile:profile", "Say what the columns of a version, or of a file, are like."),
        "anomalies": ("undrift.cli.anomalies:anomalies", "Compare a version with those before it."),
        "metric": ("undrift.cli.anomalies:metric", "Record a number of your own for a version."),
        "suite": ("undrift.cli.checks:suite", "Show or say what batches of a dataset must pass."),
        "list": ("undrift.cli.data:list_", "List the datasets."),
        "log": ("undrift.cli.data:log", "List the versions of a dataset."),
        "show": ("undrift.cli.data:show", "Show one version."),
        "checkout": ("undrift.cli.checkout:checkout", "Write the files of a version."),
        "tag": ("undrift.cli.data:tag_", "Give a version a tag."),
        "branch": ("undrift.cli.branching:branch", "Begin a dataset with a version of another, beside it."),
        "branches": ("undrift.cli.branching:branches", "List the branches, and what they and their origins have."),
        "merge": ("undrift.cli.merging:merge", "Merge a branch into what it left, or the other way round."),
        "diff": ("undrift.cli.diffing:diff", "Say what lies between two versions: files, columns, rows."),
        "fsck": ("undrift.cli.storekeeping:fsck", "Compare every stored byte with its digest; --repair what can be."),
        "gc": ("undrift.cli.storekeeping:gc", "Delete stored bytes that nothing refers to, or that are not kept."),
        "push": ("undrift.cli.remotes:push", "Bring versions to a remote."),
        "pull": ("undrift.cli.remotes:pull", "Bring versions from remotes."),
        "remote": ("undrift.cli.remotes:remote", "Name the remotes."),
        "watch": ("undrift.cli.watching:watch", "Watch a folder whose files become data."),
        "erase": ("undrift.cli.erasure:erase", "Erase a subject's rows from everything that holds rows."),
    },
)
