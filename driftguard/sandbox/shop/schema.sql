-- A shop, as an application's migrations have left it.
CREATE SCHEMA shop;

CREATE TYPE shop.tier AS ENUM ('basic', 'silver', 'gold');
CREATE DOMAIN shop.amount AS numeric(12, 2) CHECK (VALUE >= 0);

CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email varchar(120) NOT NULL UNIQUE,
    name text NOT NULL,
    tier shop.tier NOT NULL DEFAULT 'basic',
    newsletter boolean NOT NULL DEFAULT false,
    born date,
    preferences jsonb,
    created_at timestamptz NOT NULL
);

CREATE TABLE shop.addresses (
    customer_id bigint NOT NULL REFERENCES shop.customers,
    kind varchar(10) NOT NULL,
    street text NOT NULL,
    zip char(8),
    PRIMARY KEY (customer_id, kind)
);

CREATE TABLE shop.products (
    sku varchar(20) PRIMARY KEY,
    title text NOT NULL,
    price numeric(10, 2) NOT NULL,
    weight numeric,                    -- no precision: DMS writes 6 decimals
    tags text[],
    specs json,
    picture bytea,
    legacy_code varchar(12)
);

CREATE TABLE shop.orders (
    id uuid PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES shop.customers,
    placed_at timestamptz NOT NULL,
    deliver_at timestamp,
    total shop.amount,
    note varchar(200)
);

CREATE TABLE shop.order_items (
    order_id uuid NOT NULL REFERENCES shop.orders,
    line integer NOT NULL,
    sku varchar(20) NOT NULL REFERENCES shop.products,
    quantity smallint NOT NULL,
    price numeric(10, 2) NOT NULL,
    discount real,
    PRIMARY KEY (order_id, line)
);

CREATE TABLE shop."Wishlists" (
    "customerId" bigint NOT NULL,
    sku varchar(20) NOT NULL,
    "addedAt" timestamp,
    PRIMARY KEY ("customerId", sku)
);

CREATE TABLE shop.stock (
    sku varchar(20) NOT NULL,
    warehouse varchar(8) NOT NULL,
    level integer NOT NULL,
    score double precision,
    PRIMARY KEY (sku, warehouse)
);

CREATE TABLE shop.favourites (        -- all columns are the key
    customer_id bigint NOT NULL,
    sku varchar(20) NOT NULL,
    PRIMARY KEY (customer_id, sku)
);

CREATE TABLE shop.coupons (           -- its landing on Snowflake was made by hand
    code varchar(40) PRIMARY KEY,
    value numeric(10, 2) NOT NULL,
    description text
);

CREATE TABLE shop.events (
    id bigint NOT NULL,
    at timestamp NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE shop.events_2026_01 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shop.events_2026_02 PARTITION OF shop.events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');

CREATE TABLE shop.audit_log (         -- no primary key: DMS cannot update or delete in it
    at timestamptz NOT NULL,
    entry text
);
