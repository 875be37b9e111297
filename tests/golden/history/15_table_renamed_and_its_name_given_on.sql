ALTER TABLE shop.orders DROP COLUMN customer_id_old;
ALTER TABLE shop.orders RENAME TO purchases;
CREATE TABLE shop.orders (purchase int PRIMARY KEY, carrier text NOT NULL);
