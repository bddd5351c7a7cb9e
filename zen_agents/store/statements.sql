-- Every statement the engine runs. A contract test prepares each on the migrated schema and holds the column lists
-- against store/models.py. A header names the statement that follows it, up to the next header.

-- revision --
SELECT version_num FROM alembic_version;

-- get_fact --
SELECT value FROM facts WHERE name = :name;

-- put_fact --
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- ledger_head --
SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1;

-- ledger_head_instant --
SELECT wall_us, steady_us FROM ledger ORDER BY seq DESC LIMIT 1;

-- append_entry --
INSERT INTO ledger (seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (seq) DO NOTHING;

-- entries_oldest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.seq > :since AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq LIMIT :limit;

-- entries_newest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.seq > :since AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq DESC LIMIT :limit;

-- entries_of_incident_oldest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.incident = :incident AND l.seq > :since
    AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq LIMIT :limit;

-- entries_of_incident_newest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.incident = :incident AND l.seq > :since
    AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq DESC LIMIT :limit;

-- entries_of_action_oldest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.action = :action AND l.seq > :since AND (:incident IS NULL OR l.incident = :incident)
    AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq LIMIT :limit;

-- entries_of_action_newest_first --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.action = :action AND l.seq > :since AND (:incident IS NULL OR l.incident = :incident)
    AND (:kinds IS NULL OR l.kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY l.seq DESC LIMIT :limit;

-- decision --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.kind = 'decision' AND l.id = :id;

-- skipped_between --
SELECT json_extract(body, '$.reason'), count(*) FROM ledger
WHERE seq > :after AND seq <= :upto AND kind = 'decision' AND json_extract(body, '$.outcome') = 'skip'
GROUP BY 1 ORDER BY 2 DESC, 1;

-- save_incident --
INSERT OR REPLACE INTO incidents (id, key, agent, rule, target, severity, state, began_at, began_wall, opened_at,
    opened_wall, changed_at, changed_wall, last_status, detail, value, fingerprint, bad_streak, good_streak, good_since,
    unknown_since, rung, attempts, next_attempt_at, action, settle_until, verify_deadline, outcome_unknown, refused_since,
    refused_for, escalated_for, escalated_at, escalated_wall, acknowledged_by, acknowledged_until, keep_acting,
    resolved_at, resolved_wall, resolved_by)
VALUES (:id, :key, :agent, :rule, :target, :severity, :state, :began_at, :began_wall, :opened_at,
    :opened_wall, :changed_at, :changed_wall, :last_status, :detail, :value, :fingerprint, :bad_streak, :good_streak,
    :good_since, :unknown_since, :rung, :attempts, :next_attempt_at, :action, :settle_until, :verify_deadline,
    :outcome_unknown, :refused_since, :refused_for, :escalated_for, :escalated_at, :escalated_wall, :acknowledged_by,
    :acknowledged_until, :keep_acting, :resolved_at, :resolved_wall, :resolved_by);

-- live_incidents --
SELECT id, key, agent, rule, target, severity, state, began_at, began_wall, opened_at,
    opened_wall, changed_at, changed_wall, last_status, detail, value, fingerprint, bad_streak, good_streak, good_since,
    unknown_since, rung, attempts, next_attempt_at, action, settle_until, verify_deadline, outcome_unknown, refused_since,
    refused_for, escalated_for, escalated_at, escalated_wall, acknowledged_by, acknowledged_until, keep_acting,
    resolved_at, resolved_wall, resolved_by
FROM incidents WHERE state <> 'resolved' ORDER BY began_at;

-- open_at_a_glance --
SELECT id, rule, detail, began_wall FROM incidents WHERE state <> 'resolved' AND opened_at IS NOT NULL ORDER BY began_at;

-- live_ids --
SELECT id, acknowledged_until FROM incidents WHERE state <> 'resolved';

-- incidents_since --
SELECT id, key, agent, rule, target, severity, state, began_at, began_wall, opened_at,
    opened_wall, changed_at, changed_wall, last_status, detail, value, fingerprint, bad_streak, good_streak, good_since,
    unknown_since, rung, attempts, next_attempt_at, action, settle_until, verify_deadline, outcome_unknown, refused_since,
    refused_for, escalated_for, escalated_at, escalated_wall, acknowledged_by, acknowledged_until, keep_acting,
    resolved_at, resolved_wall, resolved_by
FROM incidents WHERE changed_at >= :since ORDER BY changed_at DESC, id LIMIT :limit;

-- incident --
SELECT id, key, agent, rule, target, severity, state, began_at, began_wall, opened_at,
    opened_wall, changed_at, changed_wall, last_status, detail, value, fingerprint, bad_streak, good_streak, good_since,
    unknown_since, rung, attempts, next_attempt_at, action, settle_until, verify_deadline, outcome_unknown, refused_since,
    refused_for, escalated_for, escalated_at, escalated_wall, acknowledged_by, acknowledged_until, keep_acting,
    resolved_at, resolved_wall, resolved_by
FROM incidents WHERE id = :id;

-- incidents_about --
-- By the rule's or the target's name, or what of it stands behind a dot or colon.
SELECT id, key, agent, rule, target, severity, state, began_at, began_wall, opened_at,
    opened_wall, changed_at, changed_wall, last_status, detail, value, fingerprint, bad_streak, good_streak, good_since,
    unknown_since, rung, attempts, next_attempt_at, action, settle_until, verify_deadline, outcome_unknown, refused_since,
    refused_for, escalated_for, escalated_at, escalated_wall, acknowledged_by, acknowledged_until, keep_acting,
    resolved_at, resolved_wall, resolved_by
FROM incidents WHERE began_wall <= :until AND (
    :name IN (rule, target) OR substr(target, instr(target, ':') + 1) = :name
    OR substr(rule, -length(:name) - 1) = '.' || :name
) ORDER BY began_at DESC LIMIT :limit;

-- find_ids --
SELECT id FROM (
    SELECT id FROM incidents WHERE id >= :low AND id < :high
    UNION SELECT id FROM actions WHERE id >= :low AND id < :high
    UNION SELECT id FROM approvals WHERE id >= :low AND id < :high
    UNION SELECT id FROM ledger WHERE kind = 'decision' AND id >= :low AND id < :high
) ORDER BY id LIMIT 100;

-- openings --
SELECT opened_at FROM incidents WHERE key = :key AND opened_at >= :since ORDER BY opened_at;

-- repairs --
SELECT count(*) FROM actions WHERE target = :target AND rule = :rule AND kind IN ('verified', 'undone') AND requested_by = :by
    AND ended_at >= :since;

-- reserve_action --
INSERT INTO actions (id, action, target, agent, rule, incident, requested_by, requested_uid, because, budget, spends,
    reserved_at, reserved_wall, leased_until, kind, ended_at, ended_wall, took_seconds, plan, effect)
VALUES (:id, :action, :target, :agent, :rule, :incident, :requested_by, :requested_uid, :because, :budget, :spends,
    :reserved_at, :reserved_wall, :leased_until, 'running', NULL, NULL, 0.0, :plan, '{}');

-- save_approval --
INSERT OR REPLACE INTO approvals (id, digest, action, target, agent, rule, incident, requested_by, requested_uid, because, needed, state, asked_at,
    asked_wall, expires_at, plan, answers, ended_why, used_by)
VALUES (:id, :digest, :action, :target, :agent, :rule, :incident, :requested_by, :requested_uid, :because, :needed, :state, :asked_at,
    :asked_wall, :expires_at, :plan, :answers, :ended_why, :used_by);

-- spend_approval --
UPDATE approvals SET state = 'used', used_by = :action WHERE id = :id AND state = 'approved';

-- approval --
SELECT id, digest, action, target, agent, rule, incident, requested_by, requested_uid, because, needed, state, asked_at,
    asked_wall, expires_at, plan, answers, ended_why, used_by FROM approvals WHERE id = :id;

-- open_approval --
SELECT id, digest, action, target, agent, rule, incident, requested_by, requested_uid, because, needed, state, asked_at,
    asked_wall, expires_at, plan, answers, ended_why, used_by FROM approvals
WHERE action = :action AND target = :target AND state IN ('pending', 'approved');

-- open_approvals --
SELECT id, digest, action, target, agent, rule, incident, requested_by, requested_uid, because, needed, state, asked_at,
    asked_wall, expires_at, plan, answers, ended_why, used_by FROM approvals
WHERE state IN ('pending', 'approved') ORDER BY asked_at;

-- approvals_since --
SELECT id, digest, action, target, agent, rule, incident, requested_by, requested_uid, because, needed, state, asked_at,
    asked_wall, expires_at, plan, answers, ended_why, used_by FROM approvals
WHERE asked_at >= :since ORDER BY asked_at DESC LIMIT :limit;

-- spend_token --
INSERT OR IGNORE INTO approval_tokens (token, approval, used_at) VALUES (:token, :approval, :used_at);

-- finish_action --
UPDATE actions SET kind = :kind, ended_at = :ended_at, ended_wall = :ended_wall, took_seconds = :took_seconds,
    effect = :effect
WHERE id = :id;

-- action --
SELECT id, action, target, agent, rule, incident, requested_by, because, budget, reserved_at, reserved_wall,
    leased_until, kind, ended_at, ended_wall, took_seconds, plan, effect
FROM actions WHERE id = :id;

-- unfinished_actions --
SELECT id, action, target, agent, rule, incident, requested_by, because, budget, reserved_at, reserved_wall,
    leased_until, kind, ended_at, ended_wall, took_seconds, plan, effect
FROM actions WHERE kind IN ('running', 'verifying') ORDER BY reserved_at;

-- actions_since --
SELECT id, action, target, agent, rule, incident, requested_by, because, budget, reserved_at, reserved_wall,
    leased_until, kind, ended_at, ended_wall, took_seconds, plan, effect
FROM actions WHERE reserved_at >= :since AND (:incident IS NULL OR incident = :incident)
ORDER BY reserved_at DESC, id LIMIT :limit;

-- done_at_a_glance --
SELECT id, action, target, kind, reserved_wall FROM actions ORDER BY reserved_at DESC, id LIMIT :limit;

-- actions_on_target --
SELECT id, action, target, agent, rule, incident, requested_by, because, budget, reserved_at, reserved_wall,
    leased_until, kind, ended_at, ended_wall, took_seconds, plan, effect
FROM actions WHERE target = :target AND reserved_at >= :since AND (:incident IS NULL OR incident = :incident)
ORDER BY reserved_at DESC, id LIMIT :limit;

-- ran --
WITH ran AS (SELECT reserved_at FROM actions
    WHERE reserved_at > :since AND requested_by = :by AND kind NOT IN ('denied', 'expired', 'skipped')
    AND (:action IS NULL OR action = :action) AND (:budget IS NULL OR budget = :budget))
SELECT count(*), (SELECT reserved_at FROM ran ORDER BY reserved_at DESC LIMIT 1 OFFSET :most - 1) FROM ran;

-- ran_on_target --
WITH ran AS (SELECT reserved_at FROM actions
    WHERE target = :target AND reserved_at > :since AND requested_by = :by AND kind NOT IN ('denied', 'expired', 'skipped'))
SELECT count(*), (SELECT reserved_at FROM ran ORDER BY reserved_at DESC LIMIT 1 OFFSET :most - 1) FROM ran;

-- taken_back --
SELECT target, max(reserved_at) FROM actions
WHERE reserved_at >= :since AND json_extract(plan, '$.params.undoes') IS NOT NULL GROUP BY target;

-- last_on_target --
SELECT id, ended_at FROM actions
WHERE target = :target AND reserved_at >= :since AND kind NOT IN ('denied', 'expired', 'skipped')
    AND (:incident IS NULL OR incident IS NOT :incident)
ORDER BY ended_at IS NULL DESC, ended_at DESC LIMIT 1;

-- spent_since --
SELECT count(*) FROM actions WHERE spends = 1 AND budget = :budget AND reserved_at > :since;

-- lease --
SELECT target, action, until FROM leases WHERE target = :target;

-- take_lease --
INSERT OR REPLACE INTO leases (target, action, until) VALUES (:target, :action, :until);

-- release_lease --
DELETE FROM leases WHERE action = :action;

-- breaker --
SELECT name, state, failures, successes, opened_at, failed_at FROM breakers WHERE name = :name;

-- breakers --
SELECT name, state, failures, successes, opened_at, failed_at FROM breakers ORDER BY name;

-- save_breaker --
INSERT OR REPLACE INTO breakers (name, state, failures, successes, opened_at, failed_at)
VALUES (:name, :state, :failures, :successes, :opened_at, :failed_at);

-- brakes --
SELECT kind, scope, reason, set_by, since_at, since_wall, until FROM brakes ORDER BY since_at, kind, scope;

-- set_brake --
INSERT OR REPLACE INTO brakes (kind, scope, reason, set_by, since_at, since_wall, until)
VALUES (:kind, :scope, :reason, :set_by, :since_at, :since_wall, :until);

-- lift_brake --
DELETE FROM brakes WHERE kind = :kind AND scope = :scope;

-- agent_state --
SELECT state FROM agents WHERE name = :name;

-- save_agent_state --
INSERT OR REPLACE INTO agents (name, state, reason, changed_at, changed_wall)
VALUES (:name, :state, :reason, :changed_at, :changed_wall);

-- check_memories --
SELECT name, memory FROM check_memories WHERE agent = :agent;

-- save_check_memory --
INSERT OR REPLACE INTO check_memories (name, agent, memory) VALUES (:name, :agent, :memory);

-- drop_check_memory --
DELETE FROM check_memories WHERE name = :name AND agent = :agent;

-- record_usage --
INSERT INTO usage (agent, kind, seen_at, seen_wall, wall_seconds, cpu_seconds, resident_bytes, checks)
VALUES (:agent, :kind, :seen_at, :seen_wall, :wall_seconds, :cpu_seconds, :resident_bytes, :checks);

-- usage_since --
SELECT agent, kind, seen_at, seen_wall, wall_seconds, cpu_seconds, resident_bytes, checks
FROM usage WHERE seen_at >= :since ORDER BY seen_at, id;

-- series --
SELECT id FROM series WHERE name = :name AND target = :target;

-- add_series --
INSERT INTO series (name, target) VALUES (:name, :target);

-- record_observation --
INSERT INTO observations (series, status, seen_at, seen_wall, value, detail, fingerprint, facts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- observations_since --
SELECT status, seen_at, seen_wall, value, detail, fingerprint, facts
FROM observations WHERE series = :series AND seen_at >= :since ORDER BY seen_at DESC, id DESC LIMIT :limit;

-- recorded_series --
SELECT id, name, target FROM series ORDER BY id;

-- recorded_observations --
SELECT series, status, seen_at, seen_wall, value, detail, facts FROM observations
WHERE seen_at >= :since AND seen_at < :until AND series IN (SELECT value FROM json_each(:series)) ORDER BY seen_at, id;

-- recording_began --
SELECT seen_at, seen_wall FROM observations ORDER BY seen_at LIMIT 1;

-- decisions_between --
SELECT l.seq, l.kind, l.id, l.wall_us, l.steady_us, l.actor, l.incident, l.action, l.body, l.hash,
    (SELECT p.hash FROM ledger AS p WHERE p.seq = l.seq - 1) AS prev_hash
FROM ledger AS l
WHERE l.seq > :since AND l.kind = 'decision' AND l.incident IS NOT NULL AND l.steady_us BETWEEN :from_us AND :to_us
ORDER BY l.seq LIMIT :limit;

-- enqueue --
INSERT OR IGNORE INTO outbox (message_id, channel, message, made_at, attempts, not_before, state, last_error)
VALUES (:message_id, :channel, :message, :made_at, 0, :not_before, 'pending', '');

-- due_messages --
SELECT id, message, channel, attempts, not_before, state, last_error
FROM outbox WHERE state = 'pending' AND not_before <= :now ORDER BY id LIMIT :limit;

-- outbox_message --
SELECT message, channel FROM outbox WHERE id = :id;

-- mark_sent --
UPDATE outbox SET state = 'sent', attempts = attempts + 1, last_error = '', done_at = :done_at, done_wall = :done_wall
WHERE id = :id;

-- mark_failed --
UPDATE outbox SET state = :state, attempts = attempts + 1, last_error = :last_error, not_before = :not_before
WHERE id = :id;

-- open_page --
INSERT OR REPLACE INTO pages (dedup_key, incident) VALUES (:dedup_key, :incident);

-- close_page --
DELETE FROM pages WHERE dedup_key = :dedup_key;

-- open_pages --
SELECT dedup_key, incident FROM pages ORDER BY dedup_key;

-- told_since --
SELECT done_wall, channel, json_extract(message, '$.severity')
FROM outbox WHERE state = 'sent' AND done_at >= :since ORDER BY done_at;

-- sent_since --
SELECT count(*) FROM outbox WHERE state = 'sent' AND channel = :channel AND done_at >= :since;

-- prune_observations --
DELETE FROM observations WHERE id IN (SELECT id FROM observations WHERE seen_at < :before ORDER BY seen_at LIMIT :limit);

-- prune_usage --
DELETE FROM usage WHERE id IN (SELECT id FROM usage WHERE seen_at < :before ORDER BY seen_at LIMIT :limit);

-- prune_series --
DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM observations WHERE observations.series = series.id);

-- prune_outbox --
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state <> 'pending' AND made_at < :before LIMIT :limit);

-- prune_actions --
DELETE FROM actions WHERE id IN (
    SELECT id FROM actions WHERE reserved_at < :before AND kind NOT IN ('running', 'verifying')
    ORDER BY reserved_at LIMIT :limit
);

-- prune_approvals --
DELETE FROM approvals WHERE id IN (
    SELECT id FROM approvals WHERE asked_at < :before AND state NOT IN ('pending', 'approved') ORDER BY asked_at LIMIT :limit
);

-- prune_tokens --
DELETE FROM approval_tokens WHERE token IN (SELECT token FROM approval_tokens WHERE used_at < :before LIMIT :limit);

-- prune_incidents --
DELETE FROM incidents WHERE id IN (
    SELECT id FROM incidents WHERE changed_at < :before AND state = 'resolved' ORDER BY changed_at LIMIT :limit
);

-- last_pruned --
SELECT body FROM ledger WHERE id = 'ledger_pruned' ORDER BY seq DESC LIMIT 1;

-- prune_horizon --
SELECT coalesce(min(CASE WHEN steady_us >= :before_us THEN seq END) - 1, max(seq), :from_seq)
FROM (SELECT seq, steady_us FROM ledger WHERE seq > :from_seq ORDER BY seq LIMIT :limit);

-- drop_bodies --
UPDATE ledger SET body = NULL
WHERE seq > :from_seq AND seq <= :to_seq AND body IS NOT NULL AND id NOT IN ('ledger_pruned', 'checkpoint')
    AND kind IN (SELECT value FROM json_each(:kinds));

-- pruned_entries --
SELECT body FROM ledger WHERE id = 'ledger_pruned' ORDER BY seq;

-- verify_entries --
SELECT seq, kind, id, wall_us, steady_us, actor, incident, action, CAST(body AS BLOB), body_hash, hash FROM ledger
WHERE seq BETWEEN ? AND ? ORDER BY seq;

-- entry_hash --
SELECT hash FROM ledger WHERE seq = ?;

-- entry_steady --
SELECT steady_us FROM ledger WHERE seq = ?;

-- last_checkpoint --
-- There is one among so many entries, or none was ever made.
SELECT seq, body FROM (SELECT seq, kind, id, body FROM ledger ORDER BY seq DESC LIMIT 1000)
WHERE kind = 'engine' AND id = 'checkpoint' ORDER BY seq DESC LIMIT 1;

-- unrecorded_actions --
SELECT id FROM actions
WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.action = actions.id AND ledger.kind = 'intent') ORDER BY reserved_at;

-- export_entries --
SELECT seq, kind, id, wall_us, steady_us, actor, incident, action, body, body_hash, hash
FROM ledger WHERE seq > :after AND wall_us >= :from_us ORDER BY seq;
