ALTER TABLE shop.orders RENAME COLUMN note TO remark;
