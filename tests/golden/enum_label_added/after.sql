ALTER TYPE shop.mood ADD VALUE 'fine';
