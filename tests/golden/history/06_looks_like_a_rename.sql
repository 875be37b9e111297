ALTER TABLE shop.customers DROP COLUMN name, ADD COLUMN full_name varchar(40);
