CREATE INDEX ON shop.orders (note);
COMMENT ON TABLE shop.orders IS 'all of them';
