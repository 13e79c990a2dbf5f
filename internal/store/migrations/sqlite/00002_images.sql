-- +goose Up

CREATE TABLE image (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      BIGINT  NOT NULL,
    registry_id     BIGINT  NOT NULL,
    namespace       TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    tag             TEXT    NOT NULL,
    repository      TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    digest          TEXT    NOT NULL,
    image_id        TEXT    NOT NULL,
    size            BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    os_name         TEXT    NOT NULL,
    is_latest       BOOLEAN NOT NULL,
    authorized      BOOLEAN NOT NULL,
    trusted         BOOLEAN NOT NULL,
    containers      BIGINT  NOT NULL,
    found_at        BIGINT  NOT NULL,
    seen_at         BIGINT  NOT NULL,
    scan_status     TEXT    NOT NULL,
    cve_status      TEXT    NOT NULL,
    virus_status    TEXT    NOT NULL,
    risk_status     TEXT    NOT NULL,
    cve_progress    BIGINT  NOT NULL,
    virus_progress  BIGINT  NOT NULL,
    risk_progress   BIGINT  NOT NULL,
    cve_error       TEXT    NOT NULL,
    virus_error     TEXT    NOT NULL,
    risk_error      TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    solution        TEXT    NOT NULL,
    scanned_at      BIGINT  NOT NULL,
    remain_seconds  BIGINT  NOT NULL,
    item_id         BIGINT  NOT NULL,
    assessed_digest TEXT    NOT NULL,
    snapshot        TEXT    NOT NULL,
    cve_at          BIGINT  NOT NULL,
    virus_at        BIGINT  NOT NULL,
    risk_at         BIGINT  NOT NULL,
    vul_cnt         BIGINT  NOT NULL,
    critical_cnt    BIGINT  NOT NULL,
    high_cnt        BIGINT  NOT NULL,
    medium_cnt      BIGINT  NOT NULL,
    low_cnt         BIGINT  NOT NULL,
    virus_cnt       BIGINT  NOT NULL,
    risk_cnt        BIGINT  NOT NULL,
    sensitive_cnt   BIGINT  NOT NULL,
    component_cnt   BIGINT  NOT NULL,
    need_fix        BOOLEAN NOT NULL,
    UNIQUE (account_id, registry_id, repository, tag)
);
CREATE INDEX image_digest   ON image (account_id, digest);
CREATE INDEX image_config   ON image (account_id, image_id);
CREATE INDEX image_assessed ON image (account_id, assessed_digest) WHERE assessed_digest <> '';
CREATE INDEX image_newest   ON image (registry_id, repository, created_at, tag, is_latest);
CREATE INDEX image_seen     ON image (registry_id, seen_at);

-- The list holds all that a list can be filtered and sorted by, in its default
-- order, so that counting and choosing a page never read the wide rows.
CREATE INDEX image_list ON image (
    account_id, id, authorized, is_latest, containers, registry_id, scan_status, name, namespace, tag, address,
    scanned_at, critical_cnt, high_cnt, medium_cnt, low_cnt, vul_cnt, virus_cnt, risk_cnt, sensitive_cnt, trusted,
    created_at, os_name
);
-- The sorted lists serve an unfiltered list.
CREATE INDEX image_by_scan       ON image (account_id, scanned_at);
CREATE INDEX image_by_created    ON image (account_id, created_at);
CREATE INDEX image_by_virus      ON image (account_id, virus_cnt);
CREATE INDEX image_by_sensitive  ON image (account_id, sensitive_cnt);
CREATE INDEX image_by_containers ON image (account_id, containers);

CREATE TABLE content (
    account_id      BIGINT NOT NULL,
    digest          TEXT   NOT NULL,
    manifest_digest TEXT   NOT NULL,
    config_digest   TEXT   NOT NULL,
    media_type      TEXT   NOT NULL,
    size            BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    platform        TEXT   NOT NULL,
    platform_note   TEXT   NOT NULL,
    layers          TEXT,
    risks           TEXT,
    risk_revision   TEXT   NOT NULL,
    history         TEXT   NOT NULL,
    learned_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, digest)
);

CREATE TABLE layer_facts (
    digest       TEXT    NOT NULL,
    revision     TEXT    NOT NULL,
    complete     BOOLEAN NOT NULL,
    bytes        BIGINT  NOT NULL,
    facts        BLOB,
    inspected_at BIGINT  NOT NULL,
    took_millis  BIGINT  NOT NULL,
    PRIMARY KEY (digest, revision)
);

-- +goose Down

DROP TABLE layer_facts;
DROP TABLE content;
DROP TABLE image;
