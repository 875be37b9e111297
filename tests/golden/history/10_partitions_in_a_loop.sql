DO $$
DECLARE part record;
BEGIN
  FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'shop.visits'::regclass LOOP
    EXECUTE format('ALTER TABLE shop.%I RENAME TO %I', part.relname, replace(part.relname, 'visits_', 'visits_y'));
  END LOOP;
  EXECUTE 'CREATE TABLE shop.visits_y2024 PARTITION OF shop.visits FOR VALUES FROM (''2024-01-01'') TO (''2025-01-01'')';
END $$;
ALTER TABLE shop.visits ADD COLUMN referrer text;
