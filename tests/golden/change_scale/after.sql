ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(12,4);
