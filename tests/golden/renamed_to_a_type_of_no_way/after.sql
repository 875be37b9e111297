ALTER TABLE shop.users RENAME COLUMN icon TO avatar;
ALTER TABLE shop.users ALTER COLUMN avatar TYPE text USING encode(avatar, 'base64');
