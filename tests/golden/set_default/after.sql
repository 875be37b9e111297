ALTER TABLE shop.orders ALTER COLUMN note SET DEFAULT 'none';
