ALTER TABLE shop.orders ALTER COLUMN placed TYPE date;
