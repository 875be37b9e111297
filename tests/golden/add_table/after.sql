CREATE TABLE shop.refunds (id bigint PRIMARY KEY, reason text);
