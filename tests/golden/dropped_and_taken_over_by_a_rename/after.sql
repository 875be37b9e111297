ALTER TABLE shop.orders DROP COLUMN tags;
ALTER TABLE shop.orders RENAME COLUMN tags_json TO tags;
