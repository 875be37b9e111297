ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey;
ALTER TABLE shop.orders ADD PRIMARY KEY (id, shop_id);
