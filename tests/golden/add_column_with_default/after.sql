ALTER TABLE shop.orders ADD COLUMN status text DEFAULT 'new' NOT NULL;
