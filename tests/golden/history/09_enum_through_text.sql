ALTER TABLE shop.orders ALTER COLUMN state DROP DEFAULT, ALTER COLUMN state TYPE text USING state::text;
DROP TYPE shop.state;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'gone');
UPDATE shop.orders SET state = 'gone' WHERE state = 'lost';
ALTER TABLE shop.orders ALTER COLUMN state TYPE shop.state USING state::shop.state, ALTER COLUMN state SET DEFAULT 'new';
