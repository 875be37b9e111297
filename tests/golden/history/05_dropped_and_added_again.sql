ALTER TABLE shop.orders DROP COLUMN tags;
ALTER TABLE shop.orders ADD COLUMN tags jsonb;
