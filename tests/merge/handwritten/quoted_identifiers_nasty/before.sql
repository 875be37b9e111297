MERGE INTO FINAL."Auftrag" z
USING (
    SELECT q.OP,
           q."Auftrag Nr.",
           q."Größe",
           q."Preis; netto",
           q."the ""real"" name",
           q."a,b)"
      FROM STAGING."Auftrag;CDC" q
   QUALIFY ROW_NUMBER() OVER (PARTITION BY q."Auftrag Nr." ORDER BY q.TS DESC) = 1
) q
ON z."Auftrag Nr." = q."Auftrag Nr."
WHEN MATCHED AND q.OP = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE
   SET z."Größe" = q."Größe",
       z."Preis; netto" = q."Preis; netto",
       z."the ""real"" name" = q."the ""real"" name",
       z."a,b)" = q."a,b)"
WHEN NOT MATCHED AND q.OP <> 'D' THEN
INSERT ("Auftrag Nr.", "Größe", "Preis; netto", "the ""real"" name", "a,b)")
VALUES (q."Auftrag Nr.", q."Größe", q."Preis; netto", q."the ""real"" name", q."a,b)");
