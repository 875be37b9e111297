ALTER TABLE shop.orders ADD PRIMARY KEY (id);
