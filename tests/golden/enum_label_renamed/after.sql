ALTER TYPE shop.mood RENAME VALUE 'ok' TO 'fine';
