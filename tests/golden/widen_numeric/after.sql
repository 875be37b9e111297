ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(18,2);
