ALTER TABLE shop.orders RENAME note TO internal_note;
ALTER TABLE shop.orders ADD COLUMN note varchar(200);
