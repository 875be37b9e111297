ALTER TABLE shop.orders DROP COLUMN note;
ALTER TABLE shop.orders ADD COLUMN note integer;
