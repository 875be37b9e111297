CREATE SCHEMA shop;
CREATE TABLE shop.events (id bigint, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE shop.events_2025 (id bigint, day date NOT NULL, PRIMARY KEY (id, day));
