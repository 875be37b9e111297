MERGE INTO final.address AS f
USING (
    SELECT op, address_id, street, city, zip, country_code
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
    OR f.country_code IS DISTINCT FROM s.country_code
) THEN
    UPDATE SET
        street = s.street,
        city = s.city,
        zip = s.zip,
        country_code = s.country_code
WHEN NOT MATCHED AND s.op <> 'D' THEN
    INSERT (address_id, street, city, zip, country_code)
    VALUES (s.address_id, s.street, s.city, s.zip, s.country_code);
