CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint NOT NULL, note text);
