ALTER TABLE shop.customers DROP CONSTRAINT customers_pkey;
ALTER TABLE shop.customers RENAME id TO number;
ALTER TABLE shop.customers ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY;
