CREATE SCHEMA archive;
ALTER TABLE shop.log SET SCHEMA archive;
CREATE TABLE archive.old_orders AS SELECT id, total, state::text AS state FROM shop.orders;
ALTER TABLE archive.old_orders ADD PRIMARY KEY (id);
