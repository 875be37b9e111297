ALTER TABLE shop.customers DROP COLUMN created;
ALTER TABLE shop.customers ALTER COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC';
ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(12, 4), ALTER COLUMN note TYPE text;
