ALTER TABLE shop.orders ALTER COLUMN total TYPE double precision;
