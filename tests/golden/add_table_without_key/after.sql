CREATE TABLE shop.log (line text);
