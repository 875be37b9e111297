CREATE TABLE shop."OrderItem" ("id" text PRIMARY KEY, "unitPrice" numeric(65, 30) NOT NULL, "orderId" int, "createdAt" timestamp(3));
ALTER TABLE shop."OrderItem" RENAME COLUMN "orderId" TO "order";
