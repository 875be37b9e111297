ALTER TABLE shop.orders SET SCHEMA archive;
