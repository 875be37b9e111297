CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, note varchar(40), total numeric(10,2));
CREATE TABLE shop.orders_new (id bigint PRIMARY KEY, note text, total numeric(10,2));
