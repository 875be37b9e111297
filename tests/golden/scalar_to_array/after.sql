ALTER TABLE shop.orders ALTER COLUMN tag TYPE text[] USING ARRAY[tag];
