ALTER TABLE shop.orders ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC';
