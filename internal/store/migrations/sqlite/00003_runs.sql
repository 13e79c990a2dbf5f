-- +goose Up

CREATE TABLE run (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    parts       INTEGER NOT NULL,
    scope       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    total       BIGINT  NOT NULL,
    cursor      BIGINT  NOT NULL,
    expanded    BOOLEAN NOT NULL,
    finished    BIGINT  NOT NULL,
    clean       BIGINT  NOT NULL,
    risky       BIGINT  NOT NULL,
    failed      BIGINT  NOT NULL,
    elsewhere   BIGINT  NOT NULL,
    dropped     BIGINT  NOT NULL,
    reason      TEXT    NOT NULL,
    due_at      BIGINT  NOT NULL,
    started_at  BIGINT  NOT NULL,
    deadline    BIGINT  NOT NULL,
    window_end  BIGINT  NOT NULL,
    finished_at BIGINT  NOT NULL
);
CREATE INDEX run_account ON run (account_id, id);
CREATE INDEX run_active  ON run (state) WHERE state = 'SCANNING';

CREATE TABLE item (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id      BIGINT  NOT NULL,
    account_id  BIGINT  NOT NULL,
    image_id    BIGINT  NOT NULL,
    registry_id BIGINT  NOT NULL,
    parts       INTEGER NOT NULL,
    force       BOOLEAN NOT NULL,
    state       TEXT    NOT NULL,
    attempt     BIGINT  NOT NULL,
    owner       TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    layers      BIGINT  NOT NULL,
    layers_done BIGINT  NOT NULL,
    prior       TEXT,
    charged     BIGINT  NOT NULL,
    queued_at   BIGINT  NOT NULL,
    started_at  BIGINT  NOT NULL,
    finished_at BIGINT  NOT NULL,
    UNIQUE (run_id, image_id)
);
-- An image is in one scan at a time.
CREATE UNIQUE INDEX item_under_way ON item (image_id) WHERE state IN ('queued', 'running');
CREATE INDEX item_run_state ON item (run_id, state);
CREATE INDEX item_image     ON item (image_id);
CREATE INDEX item_charged   ON item (account_id, queued_at, charged);

-- What items cost whose images were removed since.
CREATE TABLE former_cost (
    account_id BIGINT NOT NULL,
    queued_at  BIGINT NOT NULL,
    tenths     BIGINT NOT NULL
);
CREATE INDEX former_cost_account ON former_cost (account_id, queued_at);

-- +goose Down

DROP TABLE former_cost;
DROP TABLE item;
DROP TABLE run;
