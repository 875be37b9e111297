ALTER TABLE shop.orders ALTER COLUMN m TYPE text;
