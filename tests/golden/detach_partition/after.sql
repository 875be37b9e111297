ALTER TABLE shop.events DETACH PARTITION shop.events_2025;
