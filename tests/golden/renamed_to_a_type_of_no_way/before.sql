CREATE SCHEMA shop;
CREATE TABLE shop.users (id bigint PRIMARY KEY, icon bytea);
