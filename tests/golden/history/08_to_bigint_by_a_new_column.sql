ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_id_fkey;
ALTER TABLE shop.orders RENAME customer_id TO customer_id_old;
ALTER TABLE shop.orders ALTER COLUMN customer_id_old DROP NOT NULL, ADD COLUMN customer_id bigint;
UPDATE shop.orders SET customer_id = customer_id_old;
