CREATE OR REPLACE TEMP TABLE course_new AS
SELECT op, course_id, title, ects, language_code
FROM STAGING.COURSE_CDC
QUALIFY ROW_NUMBER() OVER (PARTITION BY course_id ORDER BY commit_ts DESC) = 1;

UPDATE FINAL.COURSE c
SET c.title = n.title,
    c.ects = n.ects,
    c.language_code = n.language_code
FROM course_new n
WHERE n.course_id = c.course_id AND n.op <> 'D';

INSERT INTO FINAL.COURSE (course_id, title, ects, language_code)
SELECT n.course_id, n.title, n.ects, n.language_code
FROM course_new n
WHERE n.op <> 'D'
  AND NOT EXISTS (SELECT 1 FROM FINAL.COURSE c WHERE c.course_id = n.course_id);

DELETE FROM FINAL.COURSE c USING course_new n WHERE n.course_id = c.course_id AND n.op = 'D';
