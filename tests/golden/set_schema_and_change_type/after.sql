ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(12,4);
ALTER TABLE shop.orders SET SCHEMA archive;
