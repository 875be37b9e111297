MERGE INTO final.address AS f
USING (
    SELECT op, address_id, street, city, zip
    FROM staging.address_cdc
    QUALIFY ROW_NUMBER() OVER (PARTITION BY address_id ORDER BY commit_ts DESC) = 1
) AS s
    ON f.address_id = s.address_id
WHEN MATCHED AND s.op = 'D' THEN
    DELETE
WHEN MATCHED AND (
       f.street IS DISTINCT FROM s.street
    OR f.city IS DISTINCT FROM s.city
    OR f.zip IS DISTINCT FROM s.zip
) THEN
    UPDATE SET
        street = s.street,
        city = s.city,
        zip = s.zip
WHEN NOT MATCHED AND s.op <> 'D' THEN
    INSERT (address_id, street, city, zip)
    VALUES (s.address_id, s.street, s.city, s.zip);
