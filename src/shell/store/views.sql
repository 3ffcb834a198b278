-- The views of the journal's database. `docs/reference/sql-views.md` describes them; their columns are stable.
--
-- They read the records themselves. So they cost nothing while the controller runs, and retention applies to them as well.
-- A pattern of GLOB at the beginning of a line selects records before their JSON is parsed.

DROP VIEW IF EXISTS alarms;
CREATE VIEW alarms AS
WITH decided AS (
    SELECT n, line, line ->> '$.alarm.decided' AS what, line ->> '$.alarm.alarm' AS alarm, line ->> '$.alarm.key' AS keys,
        line ->> '$.alarm.at' AS at
    FROM record
    WHERE line GLOB '{"alarm":{"decided":"raised",*' OR line GLOB '{"alarm":{"decided":"repeated",*'
        OR line GLOB '{"alarm":{"decided":"cleared",*' OR line GLOB '{"alarm":{"decided":"acked",*'
), numbered AS (
    SELECT *, sum(what = 'raised') OVER (PARTITION BY alarm, keys ORDER BY n) AS instance FROM decided
)
SELECT alarm,
    (SELECT group_concat(value, ', ') FROM json_each(keys)) AS key,
    max(line ->> '$.alarm.category') AS category,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at) FILTER (WHERE what = 'raised') / 1e6, 'unixepoch') AS raised_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at) FILTER (WHERE what = 'cleared') / 1e6, 'unixepoch') AS cleared_at,
    round((max(at) FILTER (WHERE what = 'cleared') - max(at) FILTER (WHERE what = 'raised')) / 1e6, 3) AS seconds,
    max(CASE json_type(line, '$.alarm.cause') WHEN 'object' THEN 'by ' || (line ->> '$.alarm.cause.by_hand')
        ELSE line ->> '$.alarm.cause' END) AS cause,
    count(*) FILTER (WHERE what IN ('raised', 'repeated')) AS occurrences,
    strftime('%Y-%m-%dT%H:%M:%fZ', min(at) FILTER (WHERE what = 'acked') / 1e6, 'unixepoch') AS acked_at,
    max(line ->> '$.alarm.by') AS acked_by,
    max(line ->> '$.alarm.event.host') AS host,
    max(line ->> '$.alarm.event.app') AS app,
    max(line ->> '$.alarm.summary') FILTER (WHERE what = 'raised') AS summary,
    coalesce(max(line ->> '$.alarm.event.pointsman_test'), 0) AS test,
    min(n) AS record
FROM numbered GROUP BY alarm, keys, instance;

DROP VIEW IF EXISTS occurrences;
CREATE VIEW occurrences AS
WITH fired AS (
    SELECT n, line,
        (SELECT i.line FROM record i WHERE i.n < record.n AND i.line GLOB '{"input":*' ORDER BY i.n DESC LIMIT 1) AS input
    FROM record
    WHERE line GLOB '{"alarm":{"decided":"raised",*' OR line GLOB '{"alarm":{"decided":"repeated",*'
)
SELECT line ->> '$.alarm.alarm' AS alarm,
    (SELECT group_concat(value, ', ') FROM json_each(line, '$.alarm.key')) AS key,
    strftime('%Y-%m-%dT%H:%M:%fZ', (line ->> '$.alarm.at') / 1e6, 'unixepoch') AS at,
    line ->> '$.alarm.decided' AS what,
    coalesce(input ->> '$.input.input.event.event.host', line ->> '$.alarm.event.host') AS host,
    coalesce(input ->> '$.input.input.event.event.app', line ->> '$.alarm.event.app') AS app,
    input ->> '$.input.input.event.source' AS source,
    coalesce(input ->> '$.input.input.event.event.text', line ->> '$.alarm.event.text') AS text,
    n AS record
FROM fired;

DROP VIEW IF EXISTS runs;
CREATE VIEW runs AS
WITH ran AS (
    SELECT n, line, line ->> '$.run.ran' AS what, line ->> '$.run.run' AS run, line ->> '$.run.at' AS at
    FROM record
    WHERE line GLOB '{"run":{"ran":"wanted",*' OR line GLOB '{"run":{"ran":"begun",*' OR line GLOB '{"run":{"ran":"ended",*'
        OR line GLOB '{"run":{"ran":"asked",*'
)
SELECT run,
    max(line ->> '$.run.bound.reaction') AS reaction,
    max(line ->> '$.run.bound.call.alarm.name') AS alarm,
    max(line ->> '$.run.key') AS key,
    max(line ->> '$.run.bound.call.alarm.category') AS category,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at) FILTER (WHERE what = 'wanted') / 1e6, 'unixepoch') AS wanted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at) FILTER (WHERE what = 'begun') / 1e6, 'unixepoch') AS begun_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at) FILTER (WHERE what = 'ended') / 1e6, 'unixepoch') AS ended_at,
    round((max(at) FILTER (WHERE what = 'ended') - max(at) FILTER (WHERE what = 'wanted')) / 1e6, 3) AS seconds,
    count(DISTINCT line ->> '$.run.step.n') AS steps,
    max(CASE json_type(line, '$.run.outcome') WHEN 'object' THEN (SELECT key FROM json_each(line, '$.run.outcome'))
        ELSE line ->> '$.run.outcome' END) AS outcome,
    max(coalesce(line ->> '$.run.outcome.failed', line ->> '$.run.outcome.cancelled')) AS why,
    coalesce(max(line ->> '$.run.bound.call.event.pointsman_test'), 0) AS test,
    coalesce(max(line ->> '$.run.bound.dry'), 0) AS dry,
    min(n) AS record
FROM ran GROUP BY run;

DROP VIEW IF EXISTS steps;
CREATE VIEW steps AS
WITH ran AS (
    SELECT n, line, line ->> '$.run.ran' AS what, line ->> '$.run.run' AS run
    FROM record
    WHERE line GLOB '{"run":{"ran":"wanted",*' OR line GLOB '{"run":{"ran":"asked",*' OR line GLOB '{"run":{"ran":"again",*'
        OR line GLOB '{"run":{"ran":"answered",*' OR line GLOB '{"run":{"ran":"ended",*'
), followed AS (
    SELECT *, lead(what) OVER of_run AS next, lead(line) OVER of_run AS answer,
        max(line ->> '$.run.bound.reaction') OVER of_run AS reaction,
        coalesce(max(line ->> '$.run.bound.dry') OVER of_run, 0) AS dry
    FROM ran WINDOW of_run AS (PARTITION BY run ORDER BY n)
)
SELECT run,
    reaction,
    line ->> '$.run.step.n' AS step,
    line ->> '$.run.step.verb' AS verb,
    line ->> '$.run.step.args' AS arguments,
    line ->> '$.run.attempt' AS attempt,
    line ->> '$.run.step.line' AS script_line,
    (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', (i.line ->> '$.input.at') / 1e6, 'unixepoch')
        FROM record i WHERE i.n < followed.n AND i.line GLOB '{"input":*' ORDER BY i.n DESC LIMIT 1) AS asked_after,
    CASE WHEN next = 'again' THEN 'tried again' WHEN next = 'ended' THEN 'not answered'
        WHEN json_type(answer, '$.run.result.Err') IS NOT NULL THEN 'failed' WHEN next = 'answered' THEN 'done' END AS result,
    CASE WHEN next = 'answered' THEN coalesce(answer ->> '$.run.result.Err', answer -> '$.run.result.Ok') END AS answer,
    dry,
    n AS record
FROM followed WHERE what = 'asked';

DROP VIEW IF EXISTS moves;
CREATE VIEW moves AS
WITH noticed AS (
    SELECT n, line ->> '$.notice.at' AS at, line ->> '$.notice.resource' AS resource, line ->> '$.notice.host' AS host,
        substr(line ->> '$.notice.text', length(line ->> '$.notice.resource') + 2) AS rest
    FROM record WHERE line GLOB '{"notice":{"at":*,"kind":"step",*' AND line ->> '$.notice.kind' = 'step'
), happened AS (
    SELECT n, at, resource, host, substr(rest, 1, instr(rest, ' ') - 1) AS what FROM noticed
    UNION ALL
    SELECT n, line ->> '$.plan.at', line ->> '$.plan.resource', line ->> '$.plan.to', 'move'
    FROM record WHERE line GLOB '{"plan":{"planned":"move",*'
    UNION ALL
    SELECT n, (SELECT i.line ->> '$.input.at' FROM record i WHERE i.n < record.n AND i.line GLOB '{"input":*' ORDER BY i.n DESC LIMIT 1),
        line ->> '$.plan.resource', line ->> '$.plan.host', 'adopted'
    FROM record WHERE line GLOB '{"plan":{"planned":"adopted",*'
), numbered AS (
    SELECT *, sum(what IN ('move', 'adopted')) OVER (PARTITION BY resource ORDER BY n) AS move FROM happened
), of_move AS (
    SELECT *, first_value(host) OVER (PARTITION BY resource, move ORDER BY n) AS target FROM numbered
), moved AS (
    SELECT resource, move, min(n) AS n,
        max(host) FILTER (WHERE what IN ('move', 'adopted')) AS host,
        max(what) FILTER (WHERE what IN ('move', 'adopted')) AS how,
        max(at) FILTER (WHERE what IN ('move', 'adopted')) AS began,
        min(at) FILTER (WHERE what = 'released' AND host <> target) AS released,
        max(host) FILTER (WHERE what = 'released' AND host <> target) AS released_by,
        min(at) FILTER (WHERE what IN ('taken', 'adopted')) AS taken,
        max(at) FILTER (WHERE what = 'released' AND host = target) AS let_go
    FROM of_move GROUP BY resource, move
)
SELECT resource,
    host,
    how,
    strftime('%Y-%m-%dT%H:%M:%fZ', began / 1e6, 'unixepoch') AS began_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', released / 1e6, 'unixepoch') AS released_at,
    released_by,
    strftime('%Y-%m-%dT%H:%M:%fZ', taken / 1e6, 'unixepoch') AS taken_at,
    round((taken - began) / 1e6, 3) AS seconds,
    strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(let_go, lead(released) OVER next, lead(taken) OVER next, lead(began) OVER next) / 1e6, 'unixepoch')
        AS until_at,
    n AS record
FROM moved WHERE how IS NOT NULL WINDOW next AS (PARTITION BY resource ORDER BY move);

DROP VIEW IF EXISTS notifications;
CREATE VIEW notifications AS
WITH notified AS (
    SELECT n, line, line ->> '$.notify.notified' AS what, coalesce(line ->> '$.notify.notification.id', line ->> '$.notify.id') AS id
    FROM record
    WHERE line GLOB '{"notify":{"notified":"queued",*' OR line GLOB '{"notify":{"notified":"failed",*'
        OR line GLOB '{"notify":{"notified":"delivered",*' OR line GLOB '{"notify":{"notified":"gave_up",*'
)
SELECT id AS notification,
    max(line ->> '$.notify.notification.channel') AS channel,
    max(line ->> '$.notify.notification.occasion') AS occasion,
    max(line ->> '$.notify.notification.category') AS category,
    max(line ->> '$.notify.notification.title') AS title,
    max(line ->> '$.notify.notification.alarms[0].alarm') AS alarm,
    max(line ->> '$.notify.notification.alarms[0].key') AS key,
    max(json_array_length(line, '$.notify.notification.alarms')) + max(line ->> '$.notify.notification.more') AS alarms,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(line ->> '$.notify.notification.at') / 1e6, 'unixepoch') AS queued_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(line ->> '$.notify.at') FILTER (WHERE what = 'delivered') / 1e6, 'unixepoch') AS delivered_at,
    count(*) FILTER (WHERE what = 'failed') AS failed_attempts,
    CASE max(CASE what WHEN 'delivered' THEN 2 WHEN 'gave_up' THEN 1 ELSE 0 END)
        WHEN 2 THEN 'delivered' WHEN 1 THEN 'given up' ELSE 'waiting' END AS result,
    coalesce(max(line ->> '$.notify.why') FILTER (WHERE what = 'gave_up'), max(line ->> '$.notify.why')) AS why,
    min(n) AS record
FROM notified GROUP BY id;

DROP VIEW IF EXISTS audit;
CREATE VIEW audit AS
WITH asked AS (
    SELECT n, line ->> '$.input.at' AS at, line -> '$.input.input' AS input
    FROM record WHERE line GLOB '{"input":{"order":*,"at":*,"input":{"operator*' OR line GLOB '{"input":{"order":*,"at":*,"input":{"command_refused"*'
        OR line GLOB '{"input":{"order":*,"at":*,"input":{"loss_accepted"*'
)
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1e6, 'unixepoch') AS at,
    coalesce(input ->> '$.operator_command.by', input ->> '$.command_refused.by', input ->> '$.loss_accepted.by') AS who,
    coalesce(input ->> '$.operator_command.command', input ->> '$.command_refused.command', input ->> '$.operator', 'accept-loss') AS command,
    json_remove(coalesce(input -> '$.operator_command', input -> '$.loss_accepted'), '$.by', '$.command') AS arguments,
    json_type(input, '$.command_refused') IS NOT NULL AS refused,
    coalesce(input ->> '$.command_refused.why', input ->> '$.operator_command.reason', input ->> '$.loss_accepted.reason') AS why,
    n AS record
FROM asked
WHERE json_type(input, '$.operator_command') IS NOT NULL OR json_type(input, '$.command_refused') IS NOT NULL
    OR json_type(input, '$.loss_accepted') IS NOT NULL OR json_type(input, '$.operator') IS NOT NULL;

DROP VIEW IF EXISTS notices;
CREATE VIEW notices AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', (line ->> '$.notice.at') / 1e6, 'unixepoch') AS at,
    line ->> '$.notice.kind' AS kind,
    line ->> '$.notice.text' AS text,
    line ->> '$.notice.alarm' AS alarm,
    line ->> '$.notice.resource' AS resource,
    line ->> '$.notice.host' AS host,
    line ->> '$.notice.run' AS run,
    line ->> '$.notice.reaction' AS reaction,
    line ->> '$.notice.source' AS source,
    n AS record
FROM record WHERE line GLOB '{"notice":*';
