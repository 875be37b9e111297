ALTER TABLE shop.orders ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR', ADD COLUMN tags text[];
CREATE INDEX CONCURRENTLY orders_by_customer ON shop.orders (customer_id);
