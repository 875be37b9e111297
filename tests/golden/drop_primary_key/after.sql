ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey;
