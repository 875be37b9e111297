ALTER TABLE shop.customers DROP CONSTRAINT customers_pkey;
ALTER TABLE shop.customers ADD COLUMN uid uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY;
