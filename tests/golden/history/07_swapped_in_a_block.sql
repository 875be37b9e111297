DO $$
BEGIN
  EXECUTE 'CREATE TABLE shop.log_new (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL, line text, level int2)';
  EXECUTE 'INSERT INTO shop.log_new (at, line) SELECT at, line FROM shop.log';
  EXECUTE 'DROP TABLE shop.log';
  EXECUTE 'ALTER TABLE shop.log_new RENAME TO log';
END $$;
