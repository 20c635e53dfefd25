"""The tables of the store, and the steps from each version of them to the next."""

from __future__ import annotations

# One entry per version. PRAGMA user_version counts the entries that were applied, so an entry is never edited once
# it was released: a change is a new entry at the end.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            dataset TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            settings TEXT NOT NULL,
            rejections TEXT NOT NULL DEFAULT '{}',
            created_at TEXT NOT NULL,
            finished_at TEXT
        )
        """,
        """
        CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id),
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            origin TEXT NOT NULL,
            purpose TEXT NOT NULL,
            trial INTEGER,
            seed INTEGER NOT NULL,
            params INTEGER NOT NULL,
            val_accuracy REAL,
            test_accuracy REAL,
            test_fingerprint TEXT,
            failure TEXT,
            architecture TEXT NOT NULL,
            cost TEXT NOT NULL,
            recipe TEXT NOT NULL,
            measurement TEXT NOT NULL,
            provenance TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (run_id, key, seed, purpose)
        )
        """,
        "CREATE INDEX records_by_key ON records (key)",
        """
        CREATE VIEW trainings AS
            SELECT records.*, runs.name AS run, runs.dataset, runs.fingerprint
            FROM records JOIN runs ON runs.id = records.run_id
        """,
    ),
    (
        "ALTER TABLE records ADD COLUMN position INTEGER",
        # Until now a run trained one candidate at a time, in the order of their positions.
        """
        UPDATE records SET position = (
            SELECT count(*) FROM records AS earlier
            WHERE earlier.run_id = records.run_id AND earlier.purpose = 'search' AND earlier.id < records.id
        ) WHERE purpose = 'search'
        """,
        "ALTER TABLE records ADD COLUMN taken_from TEXT",
        "ALTER TABLE records ADD COLUMN rejections TEXT NOT NULL DEFAULT '{}'",
        # Rejections belonged to the run as a whole: they go to its last record, the run keeps those after it.
        """
        UPDATE records SET rejections = (SELECT rejections FROM runs WHERE runs.id = run_id)
        WHERE id IN (SELECT max(id) FROM records WHERE purpose = 'search' GROUP BY run_id)
        """,
        "UPDATE runs SET rejections = '{}'",
        "DROP INDEX records_by_key",
        "CREATE INDEX records_by_key ON records (key, seed)",
        "DROP VIEW trainings",
        """
        CREATE VIEW trainings AS
            SELECT records.*, runs.name AS run, runs.dataset, runs.fingerprint
            FROM records JOIN runs ON runs.id = records.run_id
        """,
    ),
)
