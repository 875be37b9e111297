ALTER TABLE shop.customers RENAME created TO created_at;
ALTER TABLE shop.customers ADD COLUMN created timestamp GENERATED ALWAYS AS (created_at) STORED;
