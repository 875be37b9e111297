ALTER TABLE shop.orders ADD COLUMN gift_note text;
