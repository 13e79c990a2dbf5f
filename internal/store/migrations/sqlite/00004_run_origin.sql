-- +goose Up

-- A run goes around the images, beginning with those that the last one dropped.
ALTER TABLE run ADD COLUMN origin BIGINT NOT NULL DEFAULT 0;

-- +goose Down

ALTER TABLE run DROP COLUMN origin;
