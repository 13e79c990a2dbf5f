-- +goose Up

CREATE TABLE account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL UNIQUE,
    created_at   BIGINT  NOT NULL,
    licence_cap  BIGINT  NOT NULL,
    quota_tenths BIGINT  NOT NULL,
    first_price  BIGINT  NOT NULL,
    again_price  BIGINT  NOT NULL,
    sync_minute  BIGINT  NOT NULL,
    synced_day   TEXT    NOT NULL
);

CREATE TABLE access_key (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id    BIGINT  NOT NULL,
    secret_id     TEXT    NOT NULL UNIQUE,
    sealed_secret BLOB,
    role          TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL,
    note          TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE INDEX access_key_account ON access_key (account_id);

CREATE TABLE console_user (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id    BIGINT  NOT NULL,
    name          TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE INDEX console_user_account ON console_user (account_id);

CREATE TABLE registry (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      BIGINT  NOT NULL,
    name            TEXT    NOT NULL,
    type            TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    username        TEXT    NOT NULL,
    sealed_password BLOB,
    net_type        TEXT    NOT NULL,
    version         TEXT    NOT NULL,
    region          TEXT    NOT NULL,
    speed_limit     BIGINT  NOT NULL,
    insecure        BOOLEAN NOT NULL,
    sync_mode       BIGINT  NOT NULL,
    need_scan       BOOLEAN NOT NULL,
    webhook_url     TEXT    NOT NULL,
    sealed_token    BLOB,
    instance_id     TEXT    NOT NULL,
    conn_hosts      TEXT,
    conn_status     TEXT    NOT NULL,
    conn_message    TEXT    NOT NULL,
    conn_reason     TEXT    NOT NULL,
    conn_solution   TEXT    NOT NULL,
    sync_status     TEXT    NOT NULL,
    sync_started_at BIGINT  NOT NULL,
    synced_at       BIGINT  NOT NULL,
    sync_reason     TEXT    NOT NULL,
    sync_solution   TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    UNIQUE (account_id, name)
);

CREATE TABLE timing_task (
    account_id    BIGINT  PRIMARY KEY,
    enabled       BOOLEAN NOT NULL,
    period        BIGINT  NOT NULL,
    scan_time     TEXT    NOT NULL,
    scan_end_time TEXT    NOT NULL,
    parts         INTEGER NOT NULL,
    scope         TEXT    NOT NULL,
    spec          TEXT,
    next_due      BIGINT  NOT NULL,
    last_run_at   BIGINT  NOT NULL,
    last_result   TEXT    NOT NULL,
    updated_at    BIGINT  NOT NULL
);
CREATE INDEX timing_task_due ON timing_task (next_due) WHERE enabled;

CREATE TABLE advisory_snapshot (
    id         TEXT   PRIMARY KEY,
    file       TEXT   NOT NULL,
    records    BIGINT NOT NULL,
    source     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE worker (
    id           TEXT   PRIMARY KEY,
    host         TEXT   NOT NULL,
    started_at   BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL
);

-- +goose Down

DROP TABLE worker;
DROP TABLE advisory_snapshot;
DROP TABLE timing_task;
DROP TABLE registry;
DROP TABLE console_user;
DROP TABLE access_key;
DROP TABLE account;
