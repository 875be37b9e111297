ALTER TABLE shop.orders ADD COLUMN double numeric(12,2) GENERATED ALWAYS AS (total * 2) STORED;
