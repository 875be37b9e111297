'use strict';
// builds and runs the inventory merge
const KEY = 'ITEM_ID';
const COLUMNS = ['ITEM_ID', 'NAME', 'STOCK'];

function mergeText(columns, key) {
  const others = columns.filter((c) => c !== key);
  return [
    'MERGE INTO FINAL.INVENTORY t',
    'USING (SELECT * FROM STAGING.INVENTORY_CDC',
    `QUALIFY ROW_NUMBER() OVER (PARTITION BY ${key} ORDER BY COMMIT_TS DESC) = 1) s`,
    `ON t.${key} = s.${key}`,
    "WHEN MATCHED AND s.OP = 'D' THEN DELETE",
    'WHEN MATCHED THEN UPDATE SET ' + others.map((c) => `t.${c} = s.${c}`).join(', '),
    "WHEN NOT MATCHED AND s.OP <> 'D' THEN INSERT (" + columns.join(', ') + ')',
    'VALUES (' + columns.map((c) => 's.' + c).join(', ') + ')',
  ].join('\n');
}

module.exports = (connection) => connection.execute({ sqlText: mergeText(COLUMNS, KEY) });
