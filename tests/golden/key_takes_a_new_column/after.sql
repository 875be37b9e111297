ALTER TABLE shop.limits ADD COLUMN action int NOT NULL DEFAULT 0;
ALTER TABLE shop.limits DROP CONSTRAINT limits_pkey;
ALTER TABLE shop.limits ADD PRIMARY KEY (user_id, action);
