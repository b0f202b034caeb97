"""What is asked of each database. A few narrow aggregates beat both one wide pass and many small ones; which, differs.

Columns in braces may be missing, and are null then. Words of statuses and platforms are compared in the program: the
collations of MariaDB take `Pending`, and even `pending ` with a blank, for `pending`. So there the groups are binary,
and `min` gives the one text of each. SQLite sorts every row to group it, so that it groups as few rows and columns as
will do; and it is told not to use indexes where it would walk one only to fetch most rows out of order.
"""

from collections.abc import Mapping

from exporter.inputs.zones import utc

_COUNTS = """
    select platform, status, null, count(*), null, 0, 0, 0, 0, null, 0, 0, null, null, 0 from publish_logs group by 1, 2
"""

_OPEN = f"""
    select
        platform, status, account, 0,
        min(case when since <= :now then since end),
        count(case when since > :now and not coalesce({utc("{created_at}")} > :now, 0) then 1 end),
        count(case when since < :stuck then 1 end),
        count(case when due < :now then 1 end),
        count(case when status = 'success' then 1 end),
        null, 0, 0,
        min(since), null, 0
    from (
        select
            platform, status, {{created_at}},
            case status when 'processing' then {{social_account_id}} end as account,
            {utc("case status when 'pending' then {requested_at} when 'processing' then {updated_at} end")} as since,
            {utc("case when status in ('pending', 'scheduled') then {scheduled_for} end")} as due
        from publish_logs not indexed
        where status in ('pending', 'scheduled', 'processing') or status = 'success' and {{external_post_id}} is null
    )
    group by 1, 2, 3
"""  # noqa: S608  # here and below: nothing but this module's own text

_EARLIER = f"""
    select max(at || created) from (
        select created, {utc("created")} as at from (
            select {{created_at}} as created
            from publish_logs where {{created_at}} < :edge order by {{created_at}} desc limit 1000
        )
    )
"""  # noqa: S608
"""The newest where none is of the last two days. Of texts in several shapes and zones, those of one day may stand in
another order than their times; a thousand are looked at. After the time stands the text itself, which may name a
zone."""

_CREATED = f"""
    select null, null, null, 0, null, future, 0, 0, 0, coalesce(newest, ({_EARLIER})), hour, day, null, last, future
    from (
        select
            count(case when at > :now then 1 end) as future,
            max(case when at <= :now then at || created end) as newest,
            max(at || created) as last,
            count(case when at between :hour and :now then 1 end) as hour,
            count(case when at between :day and :now then 1 end) as day
        from (
            select created, {utc("created")} as at
            from (select {{created_at}} as created from publish_logs where {{created_at}} >= :edge)
        )
    )
"""  # noqa: S608
"""`edge` is the date of two days ago: whatever shape and zone a text has, it begins with a date."""

_WIDE = """
    select
        platform, status, null, count(*),
        coalesce(
            min({requested_at}::timestamp) filter (where status = 'pending' and {requested_at}::timestamp <= :now),
            min({updated_at}::timestamp) filter (where status = 'processing' and {updated_at}::timestamp <= :now)
        ),
        count(*) filter (
            where {created_at}::timestamp > :now
            or status = 'pending' and {requested_at}::timestamp > :now
            or status = 'processing' and {updated_at}::timestamp > :now
        ),
        count(*) filter (where status = 'processing' and {updated_at}::timestamp < :stuck),
        count(*) filter (where status in ('pending', 'scheduled') and {scheduled_for}::timestamp < :now),
        count(*) filter (where status = 'success' and {external_post_id} is null),
        max({created_at}::timestamp) filter (where {created_at}::timestamp <= :now),
        count(*) filter (where {created_at}::timestamp between :hour and :now),
        count(*) filter (where {created_at}::timestamp between :day and :now),
        min({requested_at}::timestamp) filter (where status = 'pending'),
        max({created_at}),
        count(*) filter (where {created_at}::timestamp > :now)
    from publish_logs group by platform, status
"""

_ACCOUNTS = """
    select null, 'processing', {social_account_id}, 0, null, 0, 0, 0, 0, null, 0, 0, null, null, 0
    from publish_logs where status = 'processing' group by 3
"""

_WIDE_BINARY = """
    select
        min(platform), min(status), min(case when status = 'processing' then {social_account_id} end), count(*),
        min(case
            when status = 'pending' and {requested_at} <= :now then {requested_at}
            when status = 'processing' and {updated_at} <= :now then {updated_at}
        end),
        count(case
            when {created_at} > :now
            or binary status = 'pending' and {requested_at} > :now
            or binary status = 'processing' and {updated_at} > :now then 1
        end),
        count(case when status = 'processing' and {updated_at} < :stuck then 1 end),
        count(case when status in ('pending', 'scheduled') and {scheduled_for} < :now then 1 end),
        count(case when status = 'success' and {external_post_id} is null then 1 end),
        max(case when {created_at} <= :now then {created_at} end),
        count(case when {created_at} between :hour and :now then 1 end),
        count(case when {created_at} between :day and :now then 1 end),
        min(case when binary status = 'pending' then {requested_at} end),
        max({created_at}),
        count(case when {created_at} > :now then 1 end)
    from publish_logs
    group by binary platform, binary status, case when status = 'processing' then {social_account_id} end
"""

QUEUE: Mapping[str, tuple[str, ...]] = {
    "sqlite": (_COUNTS, _OPEN, _CREATED),
    "postgresql": (_WIDE, _ACCOUNTS),
    "mysql": (_WIDE_BINARY,),
}
"""Rows of `reading.Cell`."""

_FINITE = "typeof(visual_score) in ('integer', 'real') and abs(visual_score) < 9e999"
_ONCE = """
    select
        clip_id, platform, count(*) as times,
        max(status in ('pending', 'scheduled')) as ready,
        max(status = 'success') as published
    from publish_logs not indexed group by clip_id, platform
"""
_SCORES = f"select id, visual_score as score from clips where {_FINITE} order by id"  # noqa: S608
"""Sorted, so that SQLite makes a table of them with an index of its own, small enough for a million look-ups."""

COVERED = "sqlite covered"
"""SQLite where an index has all that distinct clips need, in order: then counting them apart is twice as fast as the
one pass over the table that is twice as fast without."""
COVERS = """
    select 1 from pragma_index_list('publish_logs') i
    where (select group_concat(c.name) from pragma_index_info(i.name) c) like 'platform,status,clip_id%'
"""

_DISTINCT = """
    select {name}
    from (select platform, clip_id from publish_logs where status in ({words}) group by platform, clip_id) once
    group by platform
"""

CLIPS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (f"select platform, sum(ready), sum(published) from ({_ONCE}) group by platform",),  # noqa: S608
    COVERED: (
        """
        select
            platform,
            count(distinct case when status in ('pending', 'scheduled') then clip_id end),
            count(distinct case when status = 'success' then clip_id end)
        from publish_logs group by platform
        """,
    ),
    "postgresql": (
        _DISTINCT.format(name="platform, count(*), 0", words="'pending', 'scheduled'"),
        _DISTINCT.format(name="platform, 0, count(*)", words="'success'"),
    ),
    "mysql": (
        """
        select
            min(platform),
            count(distinct case when binary status in ('pending', 'scheduled') then clip_id end),
            count(distinct case when binary status = 'success' then clip_id end)
        from publish_logs group by binary platform
        """,
    ),
}
"""Platform, distinct clips ready, distinct clips published."""

SCORES: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        f"""
        select
            platform, sum(ready), sum(published),
            sum(times * score) / sum(case when score is not null then times end)
        from ({_ONCE}) once left join ({_SCORES}) scores on scores.id = once.clip_id
        group by platform
        """,  # noqa: S608
    ),
    COVERED: (
        *CLIPS[COVERED],
        f"""
        select platform, 0, 0, avg(score)
        from publish_logs left join ({_SCORES}) scores on scores.id = clip_id group by platform
        """,  # noqa: S608
    ),
    "postgresql": (
        *CLIPS["postgresql"],
        """
        select platform, 0, 0, avg(score) filter (where score > '-Infinity' and score < 'Infinity')
        from publish_logs left join (select id, visual_score::float8 as score from clips) scores on scores.id = clip_id
        group by platform
        """,
    ),
    "mysql": (
        *CLIPS["mysql"],
        """
        select straight_join min(platform), 0, 0, avg(visual_score)
        from publish_logs join clips on clips.id = clip_id group by binary platform
        """,
    ),
}
"""The same and, in a fourth column, the mean score of the platform's clips, each as often as it is on a log."""

ODD_SCORES: Mapping[str, str] = {
    "sqlite": f"case when visual_score is not null and not ({_FINITE}) then 1 end",
    "postgresql": "case when visual_score::float8 in ('NaN', 'Infinity', '-Infinity') then 1 end",
    "mysql": "null",
}
"""Counts a score that is no finite number."""

JOBS: Mapping[str, str] = {
    "sqlite": """
        select case when json_valid(params) then json_quote(json_extract(params, '$.platform')) end, status, count(*)
        from jobs group by 1, 2
    """,
    # an escaped NUL or half a surrogate pair, anywhere in the parameters of one job, would fail them all
    "postgresql": r"""
        select (
            case
                when strpos(params::text, '\u') = 0 then params::json
                else regexp_replace(params::text, '\\u(0000|d[89a-f][0-9a-f]{2})', '\\u003f', 'gi')::json
            end -> 'platform'
        )::text, status, count(*)
        from jobs group by 1, 2
    """,
    "mysql": """
        select min(asked), min(status), count(*)
        from (select json_extract(params, '$.platform') as asked, status from jobs) asked
        group by binary asked, binary status
    """,
}
"""The platform a job was asked to work for, as JSON."""


def _seconds(column: str) -> str:
    """Whole seconds since some time in the past, cut off after SQLite's rounding to milliseconds: what strftime('%s')
    is, in half its time."""
    return f"cast(julianday({column}) * 86400000.0 + 0.5 as integer) / 1000"


SPENT: Mapping[str, str] = {
    "sqlite": f"""
        select count(seconds) as finished, 1000000 * sum(seconds) as spent
        from (
            select {_seconds("published_at")} - {_seconds("requested_at")} as seconds
            from publish_logs not indexed where status = 'success' and published_at is not null
        )
    """,  # noqa: S608
    "postgresql": """
        select
            count(*) as finished,
            (1000000 * extract(epoch from sum(published_at::timestamp - requested_at::timestamp)))::bigint as spent
        from publish_logs
        where status = 'success' and isfinite(published_at::timestamp) and isfinite(requested_at::timestamp)
    """,
    "mysql": """
        select
            count(*) as finished,
            cast(sum(timestampdiff(microsecond, requested_at, published_at)) as signed) as spent
        from publish_logs
        where binary status = 'success' and published_at >= '1000-01-01' and requested_at >= '1000-01-01'
    """,
}
"""Publications that were asked for and published at known times, and the microseconds between, all together; in SQLite
between whole seconds, as it was."""
