CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, tags text, tags_json jsonb);
