MERGE INTO FINAL.ASSET TGT USING
  (SELECT OP, ASSET_ID, SITE, OWNER
     FROM STAGING.ASSET_CDC
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ASSET_ID ORDER BY COMMIT_TS DESC) = 1) SRC
ON (TGT.ASSET_ID = SRC.ASSET_ID)
WHEN MATCHED AND SRC.OP = 'D' THEN DELETE
WHEN MATCHED AND (NVL(TGT.SITE, '~') <> NVL(SRC.SITE, '~') OR
                  NVL(TGT.OWNER, '~') <> NVL(SRC.OWNER, '~'))
THEN UPDATE SET TGT.SITE = SRC.SITE,
                TGT.OWNER = SRC.OWNER
WHEN NOT MATCHED AND SRC.OP <> 'D' THEN INSERT (ASSET_ID,
                                                SITE,
                                                OWNER)
                                        VALUES (SRC.ASSET_ID,
                                                SRC.SITE,
                                                SRC.OWNER);
