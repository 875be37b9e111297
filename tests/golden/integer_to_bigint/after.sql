ALTER TABLE shop.orders ALTER COLUMN n TYPE bigint;
