CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, note varchar(40), total numeric(10,2));
