ALTER TABLE shop.orders ALTER COLUMN note TYPE text;
