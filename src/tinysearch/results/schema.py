"""The schema of the store, as migrations from each version to the next."""

from __future__ import annotations

# One entry per version. PRAGMA user_version is the number of applied entries, so an entry is never edited after its
# release: a change is a new entry at the end. ``migration.py`` defines the SQL functions notation(), new_recipe() and
# new_settings().
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
        # In earlier versions a run trained one candidate at a time, in the order of their positions.
        """
        UPDATE records SET position = (
            SELECT count(*) FROM records AS earlier
            WHERE earlier.run_id = records.run_id AND earlier.purpose = 'search' AND earlier.id < records.id
        ) WHERE purpose = 'search'
        """,
        "ALTER TABLE records ADD COLUMN taken_from TEXT",
        "ALTER TABLE records ADD COLUMN rejections TEXT NOT NULL DEFAULT '{}'",
        # Rejections were stored with the run: move them to its last record. The run keeps those after its last record.
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
    (
        # Separate the columns of leaderboards from details that are read one by one; reading them is many times faster.
        "DROP VIEW trainings",
        "DROP INDEX records_by_key",
        "ALTER TABLE records RENAME TO whole",
        """
        CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES runs (id),
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            origin TEXT NOT NULL,
            purpose TEXT NOT NULL,
            trial INTEGER,
            position INTEGER,
            seed INTEGER NOT NULL,
            taken_from TEXT,
            params INTEGER NOT NULL,
            non_trainable_params INTEGER NOT NULL,
            macs INTEGER NOT NULL,
            peak_activation_bytes INTEGER NOT NULL,
            epochs INTEGER NOT NULL,
            val_accuracy REAL,
            val_loss REAL,
            test_accuracy REAL,
            test_fingerprint TEXT,
            failure TEXT,
            train_seconds REAL NOT NULL,
            layers TEXT NOT NULL,
            rejections TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (run_id, key, seed, purpose)
        )
        """,
        """
        CREATE TABLE details (
            record_id INTEGER PRIMARY KEY REFERENCES records (id),
            architecture TEXT NOT NULL,
            cost TEXT NOT NULL,
            recipe TEXT NOT NULL,
            measurement TEXT NOT NULL,
            provenance TEXT NOT NULL
        )
        """,
        """
        INSERT INTO records
            SELECT id, run_id, key, name, origin, purpose, trial, position, seed, taken_from, params,
                json_extract(cost, '$.non_trainable_params'), json_extract(cost, '$.macs'),
                json_extract(cost, '$.peak_activation_bytes'), json_array_length(measurement, '$.curve'), val_accuracy,
                CASE WHEN failure IS NULL THEN json_extract(measurement, '$.curve[#-1].val_loss') END,
                test_accuracy, test_fingerprint, failure, json_extract(measurement, '$.train_seconds'),
                notation(architecture), rejections, created_at
            FROM whole
        """,
        "INSERT INTO details SELECT id, architecture, cost, recipe, measurement, provenance FROM whole",
        "DROP TABLE whole",
        "CREATE INDEX records_by_key ON records (key, seed)",
        """
        CREATE VIEW summaries AS
            SELECT records.*, runs.name AS run, runs.dataset, runs.fingerprint
            FROM records JOIN runs ON runs.id = records.run_id
        """,
        "CREATE VIEW trainings AS SELECT * FROM summaries JOIN details ON details.record_id = summaries.id",
    ),
    (
        # Predictions of networks on test images; classes are packed, see ``predictions.py``.
        "CREATE TABLE test_sets (fingerprint TEXT PRIMARY KEY, labels BLOB NOT NULL)",
        "CREATE TABLE answers (record_id INTEGER PRIMARY KEY REFERENCES records (id), predicted BLOB NOT NULL)",
    ),
    (
        # Better names, see ``upgrade.py``.
        "DROP VIEW trainings",
        "DROP VIEW summaries",
        "ALTER TABLE records RENAME COLUMN taken_from TO reused_from",
        "ALTER TABLE records ADD COLUMN other_environment INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE answers RENAME TO predictions",
        "UPDATE records SET purpose = 'revalidation' WHERE purpose = 'confirmation'",
        "UPDATE details SET recipe = new_recipe(CAST(recipe AS BLOB))",
        "UPDATE runs SET settings = new_settings(CAST(settings AS BLOB))",
        """
        CREATE VIEW summaries AS
            SELECT records.*, runs.name AS run, runs.dataset, runs.fingerprint
            FROM records JOIN runs ON runs.id = records.run_id
        """,
        "CREATE VIEW trainings AS SELECT * FROM summaries JOIN details ON details.record_id = summaries.id",
    ),
    (
        # The lag is now independent of the number of workers.
        "UPDATE runs SET settings = new_settings(CAST(settings AS BLOB))",
        # The records that proposals made without a lag knew, see ``TrialHistory``.
        """
        CREATE TABLE proposals (
            run_id INTEGER NOT NULL REFERENCES runs (id),
            position INTEGER NOT NULL,
            first INTEGER NOT NULL,
            later TEXT NOT NULL,
            PRIMARY KEY (run_id, position)
        )
        """,
        # Objectives other than accuracy: the objective of each run, and the values of all objectives, by name.
        "ALTER TABLE runs ADD COLUMN objective TEXT NOT NULL DEFAULT 'accuracy'",
        "ALTER TABLE runs ADD COLUMN direction TEXT NOT NULL DEFAULT 'max'",
        """
        CREATE TABLE metrics (
            record_id INTEGER NOT NULL REFERENCES records (id),
            part TEXT NOT NULL,
            name TEXT NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (record_id, part, name)
        ) WITHOUT ROWID
        """,
    ),
    (
        # Flash that the C code of a network takes; NULL in older records.
        "ALTER TABLE records ADD COLUMN flash_bytes INTEGER",
        # Deployments of trained networks to devices, see ``deploy``.
        """
        CREATE TABLE deployments (
            id INTEGER PRIMARY KEY,
            record_id INTEGER NOT NULL REFERENCES records (id),
            deployment TEXT NOT NULL,
            created_at TEXT NOT NULL
        )
        """,
    ),
    (
        # The source of a run's data, see ``Source``; NULL for older runs.
        "ALTER TABLE runs ADD COLUMN source TEXT",
    ),
)
