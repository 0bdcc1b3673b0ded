"""The name of a run at another tool, kept in its directory so that a resumed run goes on there."""

from darts_tf.runs.directory import RunDirectory

_FILE = "{}_run.json"


def known(run: RunDirectory, tool: str) -> str:
    """Returns the name that a run has at a tool; "" if it has none.

    Args:
        run: The directory of the run.
        tool: The tool.
    """
    path = run.path / _FILE.format(tool)
    return str(run.read_json(path).get("id", "")) if path.exists() else ""


def remember(run: RunDirectory, tool: str, name: str) -> str:
    """Keeps the name that a run has at a tool, and returns it.

    Args:
        run: The directory of the run.
        tool: The tool.
        name: The name.
    """
    run.write_json(run.path / _FILE.format(tool), {"id": name})
    return name
