-- The shop goes on, with what the migration brought.
UPDATE shop.customers SET loyalty_points = id * 10 WHERE id <= 120;
UPDATE shop.customers SET "referredBy" = md5('order1')::uuid WHERE id % 25 = 0;
INSERT INTO shop.customers (email, name, created_at, loyalty_points)
VALUES ('new@example.com', 'New here', '2026-03-01 00:00:00+00', 5);
INSERT INTO shop.coupons VALUES
    ('A-COUPON-CODE-THAT-IS-LONGER-THAN-FORTY-CHARACTERS-1', 12.50, 'long code'),
    ('BIG-ONE', 123456789.25, 'more digits than ten');
INSERT INTO shop.reviews
SELECT md5('review' || n)::uuid, 'SKU-' || (1 + n % 60), 1 + n % 5, 'quite good', '2026-03-02 10:00:00+00'
FROM generate_series(1, 45) AS n;
UPDATE shop.products SET price = price + 1 WHERE sku IN ('SKU-1', 'SKU-2');
