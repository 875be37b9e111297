CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'lost');
CREATE TABLE shop.customers (id int PRIMARY KEY, name varchar(40) NOT NULL, created timestamp NOT NULL DEFAULT now());
CREATE TABLE shop.orders (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id int NOT NULL REFERENCES shop.customers,
  state shop.state NOT NULL DEFAULT 'new',
  total numeric(10, 2) NOT NULL,
  note text
);
CREATE TABLE shop.visits (id bigint NOT NULL, day date NOT NULL, page text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE shop.visits_2023 PARTITION OF shop.visits FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE shop.log (at timestamptz, line text);
