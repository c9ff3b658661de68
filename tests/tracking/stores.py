"""Real SQLite stores of other versions and in other states, and processes that end in the midst of making one."""

import os
import signal
import sqlite3
from contextlib import closing, contextmanager

from alembic import command
from alembic.config import Config
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from pipeline.tracking import database, prepared
from pipeline.tracking.schema import migrations

# The last but three of MLflow 3.17's versions of the tables, and one of 2019.
RECENT, OLD = "HEAD~3", "a8c4a736bde6"


def write_older(path, revision):
    """Write a store as MLflow's own migrations make it up to an older version, with an experiment and a run."""
    if revision == RECENT:
        revision = [script.revision for script in migrations().walk_revisions()][3]
    engine = create_engine("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    config = Config()
    config.set_main_option("script_location", migrations().dir)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(
            text(
                "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
                "VALUES (0, 'Default', 'file:///elsewhere/0', 'active'), (1, 'theirs', 'file:///elsewhere/1', 'active')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO runs "
                "(run_uuid, status, lifecycle_stage, artifact_uri, experiment_id, start_time, user_id) "
                "VALUES ('theirs', 'FINISHED', 'active', 'file:///elsewhere/1/theirs/artifacts', 1, 5, 'they')"
            )
        )
        connection.commit()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(connection.connection.driver_connection.serialize())
    engine.dispose()
    return revision


def rows_of(path, query):
    """The rows of a query."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def ended(*works):
    """Carry each of `works` out in a process of its own, all at once; return how each ended: 0, or a signal below 0."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in [_begun(work) for work in works]]


def _begun(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return pid


def kill_at_statement(beginning):
    """Kill this process, as a power cut would, when the database is about to be given such a statement."""

    # A killed process has lost nothing that it gave to the system; without flushing this is ten times as fast.
    event.listen(Engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))

    def kill(_connection, _cursor, statement, *_rest):
        if " ".join(statement.split()).startswith(beginning):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", kill)


def kill_at_call(owner, name, nth=1):
    """Kill this process when it is about to call a function for the n-th time."""
    original, calls = getattr(owner, name), []

    def kill(*arguments, **named):
        calls.append(name)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    setattr(owner, name, kill)


@contextmanager
def changed(path):
    """A connection to a database, whose changes are committed at the end."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def script_of(content: bytes) -> str:
    """The statements that make the tables and the rows of a store's SQLite file, one below the other."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        return "\n".join(line.rstrip() for each in connection.iterdump() for line in each.splitlines()) + "\n"


if __name__ == "__main__":
    prepared.SCRIPT.write_text(script_of(database.migrated_store("file:///artifacts")), encoding="utf-8")
