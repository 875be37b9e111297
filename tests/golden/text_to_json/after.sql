ALTER TABLE shop.orders ALTER COLUMN doc TYPE jsonb USING doc::jsonb;
