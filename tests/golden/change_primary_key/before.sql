CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, shop_id bigint NOT NULL);
