CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
CREATE TABLE shop.orders (id integer PRIMARY KEY, m shop.mood);
