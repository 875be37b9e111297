-- What the shop has sold so far. Values that break careless pipelines are among them.
INSERT INTO shop.customers (email, name, tier, newsletter, born, preferences, created_at)
SELECT 'user' || n || '@example.com',
       CASE n % 7 WHEN 0 THEN 'Zoë "Zed" O''Neil ' || n WHEN 1 THEN '名前 ' || n ELSE 'Customer ' || n END,
       (ARRAY['basic', 'silver', 'gold'])[1 + n % 3]::shop.tier,
       n % 2 = 0,
       CASE WHEN n % 5 <> 0 THEN date '1950-01-01' + n * 37 END,
       CASE WHEN n % 4 <> 0 THEN jsonb_build_object('lang', 'en', 'visits', n, 'flags', jsonb_build_array(n, null, true)) END,
       timestamptz '2026-01-01 00:00:00+00' + n * interval '97 minutes 13.123456 seconds'
FROM generate_series(1, 200) AS n;

INSERT INTO shop.addresses
SELECT id, kind, 'Street ' || id || E'\nback yard', CASE WHEN id % 3 = 0 THEN 'AB' || id END
FROM shop.customers, unnest(ARRAY['home', 'work']) AS kind WHERE id % 2 = 0 OR kind = 'home';

INSERT INTO shop.products
SELECT 'SKU-' || n,
       CASE n % 6 WHEN 0 THEN '' WHEN 1 THEN '\N' ELSE 'Product ' || n END,
       (n * 1234567 % 99999999)::numeric / 100,
       CASE WHEN n % 3 <> 0 THEN (n * 1.015625)::numeric END,
       CASE WHEN n % 2 = 0 THEN ARRAY['new', 'a "quoted" one', NULL, 'ünïcode'] END,
       CASE WHEN n % 3 = 0 THEN json_build_object('width', n, 'unit', 'mm') END,
       CASE WHEN n % 4 = 0 THEN decode(md5(n::text), 'hex') END,
       'L' || n
FROM generate_series(1, 60) AS n;

INSERT INTO shop.orders
SELECT md5('order' || n)::uuid, 1 + n % 200,
       timestamptz '2026-02-01 12:00:00+02' + n * interval '31 minutes',
       CASE WHEN n % 3 = 0 THEN timestamp '2026-03-29 02:30:00' + n * interval '1 hour' END,
       CASE WHEN n % 9 <> 0 THEN n * 10.55 END,
       CASE WHEN n % 4 = 0 THEN 'please ring; twice' END
FROM generate_series(1, 300) AS n;

INSERT INTO shop.order_items
SELECT md5('order' || n)::uuid, line, 'SKU-' || (1 + (n + line) % 60), line, 9.99 * line, CASE WHEN line = 2 THEN 0.25 END
FROM generate_series(1, 300) AS n, generate_series(1, 2) AS line;

INSERT INTO shop."Wishlists"
SELECT n, 'SKU-' || (1 + n % 60), timestamp '2026-01-15 08:00:00' + n * interval '1 day' FROM generate_series(1, 80) AS n;

INSERT INTO shop.stock
SELECT 'SKU-' || n, w, n * 3, n / 7.0 FROM generate_series(1, 60) AS n, unnest(ARRAY['north', 'south']) AS w;

INSERT INTO shop.favourites SELECT n, 'SKU-' || (1 + n % 60) FROM generate_series(1, 50) AS n;

INSERT INTO shop.coupons
SELECT 'COUPON-' || n, n * 1.5, CASE WHEN n % 2 = 0 THEN 'for friends' END FROM generate_series(1, 40) AS n;

INSERT INTO shop.events
SELECT n, timestamp '2026-01-03 10:00:00' + n * interval '11 hours', 'click' FROM generate_series(1, 100) AS n;

INSERT INTO shop.audit_log SELECT timestamptz '2026-01-01 00:00:00+00', 'entry ' || n FROM generate_series(1, 10) AS n;
