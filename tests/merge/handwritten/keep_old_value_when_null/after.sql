merge into FINAL.ARTICLES a
using (
    select distinct
        ARTICLE_ID,
        last_value(OP) over (partition by ARTICLE_ID order by COMMIT_TS) as OP,
        last_value(TEASER) ignore nulls over (partition by ARTICLE_ID order by COMMIT_TS) as TEASER,
        last_value(BODY) ignore nulls over (partition by ARTICLE_ID order by COMMIT_TS) as BODY,
        last_value(SUMMARY) ignore nulls over (partition by ARTICLE_ID order by COMMIT_TS) as SUMMARY
    from STAGING.ARTICLES_CDC
) c
on a.ARTICLE_ID = c.ARTICLE_ID
when matched and c.OP = 'D' then delete
when matched then update set
    a.TEASER = coalesce(c.TEASER, a.TEASER),
    a.BODY = coalesce(c.BODY, a.BODY),
    a.SUMMARY = coalesce(c.SUMMARY, a.SUMMARY)
when not matched and c.OP <> 'D' then insert (ARTICLE_ID, TEASER, BODY, SUMMARY)
values (c.ARTICLE_ID, c.TEASER, c.BODY, c.SUMMARY);
