-- The pull request: loyalty points, longer coupon codes, bigger coupons, reviews; one old column goes.
ALTER TABLE shop.customers ADD COLUMN loyalty_points integer;
ALTER TABLE shop.customers ADD COLUMN "referredBy" uuid;
ALTER TABLE shop.coupons ALTER COLUMN code TYPE varchar(80);
ALTER TABLE shop.coupons ALTER COLUMN value TYPE numeric(14, 2);
ALTER TABLE shop.products DROP COLUMN legacy_code;

CREATE TABLE shop.reviews (
    id uuid PRIMARY KEY,
    sku varchar(20) NOT NULL REFERENCES shop.products,
    stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body text,
    posted_at timestamptz NOT NULL
);
