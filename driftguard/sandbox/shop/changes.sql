-- A day in the shop: inserts, updates, deletes, several changes of one row in one transaction, a row that comes back.
BEGIN;
UPDATE shop.customers SET tier = 'gold', newsletter = true WHERE id % 10 = 0;
UPDATE shop.customers SET preferences = NULL WHERE id = 7;
UPDATE shop.customers SET name = name || ' (first)' WHERE id = 9;
UPDATE shop.customers SET name = replace(name, '(first)', '(last)') WHERE id = 9;
COMMIT;
DELETE FROM shop.favourites WHERE customer_id % 5 = 0;
INSERT INTO shop.favourites VALUES (5, 'SKU-6'), (500, 'SKU-1');
DELETE FROM shop.order_items WHERE line = 2 AND quantity = 2 AND sku = 'SKU-7';
UPDATE shop.stock SET level = level - 1 WHERE warehouse = 'north';
BEGIN;
DELETE FROM shop.coupons WHERE code = 'COUPON-3';
INSERT INTO shop.coupons VALUES ('COUPON-3', 99.99, 'back again');
COMMIT;
INSERT INTO shop.events VALUES (1000, '2026-02-14 00:00:00', 'valentine');
DELETE FROM shop.events WHERE id = 4;
