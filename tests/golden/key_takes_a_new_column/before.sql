CREATE SCHEMA shop;
CREATE TABLE shop.limits (user_id int PRIMARY KEY, tokens int NOT NULL);
