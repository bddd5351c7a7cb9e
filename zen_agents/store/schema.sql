-- Generated from store/models.py by: python -m zen_agents.workers.migrate --schema

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version (version_num) VALUES ('0003');

CREATE TABLE actions (
	id TEXT NOT NULL,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	agent TEXT NOT NULL,
	rule TEXT NOT NULL,
	incident TEXT,
	requested_by TEXT NOT NULL,
	requested_uid INTEGER,
	because TEXT NOT NULL,
	budget TEXT NOT NULL,
	spends INTEGER NOT NULL,
	reserved_at FLOAT NOT NULL,
	reserved_wall FLOAT NOT NULL,
	leased_until FLOAT NOT NULL,
	kind TEXT NOT NULL,
	ended_at FLOAT,
	ended_wall FLOAT,
	took_seconds FLOAT NOT NULL,
	"plan" TEXT NOT NULL,
	effect TEXT NOT NULL,
	PRIMARY KEY (id)
);

CREATE INDEX ix_actions_incident ON actions (incident, reserved_at) WHERE incident IS NOT NULL;

CREATE INDEX ix_actions_reserved ON actions (reserved_at);

CREATE INDEX ix_actions_spent ON actions (budget, reserved_at) WHERE spends = 1;

CREATE INDEX ix_actions_target ON actions (target, reserved_at);

CREATE INDEX ix_actions_unfinished ON actions (reserved_at, kind) WHERE kind IN ('running', 'verifying');

CREATE TABLE agents (
	name TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	changed_at FLOAT NOT NULL,
	changed_wall FLOAT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE approval_tokens (
	token TEXT NOT NULL,
	approval TEXT NOT NULL,
	used_at FLOAT NOT NULL,
	PRIMARY KEY (token)
);

CREATE TABLE approvals (
	id TEXT NOT NULL,
	digest TEXT NOT NULL,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	agent TEXT NOT NULL,
	rule TEXT NOT NULL,
	incident TEXT,
	requested_by TEXT NOT NULL,
	requested_uid INTEGER,
	because TEXT NOT NULL,
	needed INTEGER NOT NULL,
	state TEXT NOT NULL,
	asked_at FLOAT NOT NULL,
	asked_wall FLOAT NOT NULL,
	expires_at FLOAT NOT NULL,
	"plan" TEXT NOT NULL,
	answers TEXT NOT NULL,
	ended_why TEXT NOT NULL,
	used_by TEXT,
	PRIMARY KEY (id)
);

CREATE INDEX ix_approvals_asked ON approvals (asked_at);

CREATE UNIQUE INDEX ux_approvals_open ON approvals (action, target) WHERE state IN ('pending', 'approved');

CREATE TABLE brakes (
	kind TEXT NOT NULL,
	scope TEXT NOT NULL,
	reason TEXT NOT NULL,
	set_by TEXT NOT NULL,
	since_at FLOAT NOT NULL,
	since_wall FLOAT NOT NULL,
	until FLOAT,
	PRIMARY KEY (kind, scope)
);

CREATE TABLE breakers (
	name TEXT NOT NULL,
	state TEXT NOT NULL,
	failures INTEGER NOT NULL,
	successes INTEGER NOT NULL,
	opened_at FLOAT,
	failed_at TEXT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE check_memories (
	name TEXT NOT NULL,
	agent TEXT NOT NULL,
	memory TEXT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE facts (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE incidents (
	id TEXT NOT NULL,
	"key" TEXT NOT NULL,
	agent TEXT NOT NULL,
	rule TEXT NOT NULL,
	target TEXT NOT NULL,
	severity TEXT NOT NULL,
	state TEXT NOT NULL,
	began_at FLOAT NOT NULL,
	began_wall FLOAT NOT NULL,
	opened_at FLOAT,
	opened_wall FLOAT,
	changed_at FLOAT NOT NULL,
	changed_wall FLOAT NOT NULL,
	last_status TEXT NOT NULL,
	detail TEXT NOT NULL,
	value FLOAT,
	fingerprint TEXT NOT NULL,
	bad_streak INTEGER NOT NULL,
	good_streak INTEGER NOT NULL,
	good_since FLOAT,
	unknown_since FLOAT,
	rung INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	next_attempt_at FLOAT NOT NULL,
	action TEXT,
	settle_until FLOAT NOT NULL,
	verify_deadline FLOAT NOT NULL,
	outcome_unknown INTEGER NOT NULL,
	refused_since FLOAT,
	refused_for TEXT,
	escalated_for TEXT,
	escalated_at FLOAT,
	escalated_wall FLOAT,
	acknowledged_by TEXT,
	acknowledged_until FLOAT,
	keep_acting INTEGER NOT NULL,
	resolved_at FLOAT,
	resolved_wall FLOAT,
	resolved_by TEXT NOT NULL,
	PRIMARY KEY (id)
);

CREATE INDEX ix_incidents_changed ON incidents (changed_at);

CREATE INDEX ix_incidents_key ON incidents ("key", began_at);

CREATE INDEX ix_incidents_live ON incidents (began_at) WHERE state <> 'resolved';

CREATE TABLE leases (
	target TEXT NOT NULL,
	action TEXT NOT NULL,
	until FLOAT NOT NULL,
	PRIMARY KEY (target)
);

CREATE TABLE ledger (
	seq INTEGER NOT NULL,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	wall_us INTEGER NOT NULL,
	steady_us INTEGER NOT NULL,
	actor TEXT NOT NULL,
	incident TEXT,
	action TEXT,
	body TEXT,
	body_hash BLOB NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (seq)
);

CREATE INDEX ix_ledger_action ON ledger (action, seq) WHERE action IS NOT NULL;

CREATE INDEX ix_ledger_decision ON ledger (id) WHERE kind = 'decision';

CREATE INDEX ix_ledger_incident ON ledger (incident, seq) WHERE incident IS NOT NULL;

CREATE INDEX ix_ledger_pruned ON ledger (seq) WHERE id = 'ledger_pruned';

CREATE TABLE outbox (
	id INTEGER NOT NULL,
	message_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	message TEXT NOT NULL,
	made_at FLOAT NOT NULL,
	attempts INTEGER NOT NULL,
	not_before FLOAT NOT NULL,
	state TEXT NOT NULL,
	last_error TEXT NOT NULL,
	done_at FLOAT,
	done_wall FLOAT,
	PRIMARY KEY (id)
);

CREATE INDEX ix_outbox_pending ON outbox (not_before) WHERE state = 'pending';

CREATE INDEX ix_outbox_sent ON outbox (channel, done_at) WHERE state = 'sent';

CREATE UNIQUE INDEX ux_outbox_message_channel ON outbox (message_id, channel);

CREATE TABLE pages (
	dedup_key TEXT NOT NULL,
	incident TEXT NOT NULL,
	PRIMARY KEY (dedup_key)
);

CREATE TABLE series (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	target TEXT NOT NULL,
	PRIMARY KEY (id)
);

CREATE UNIQUE INDEX ux_series_name_target ON series (name, target);

CREATE TABLE usage (
	id INTEGER NOT NULL,
	agent TEXT NOT NULL,
	kind TEXT NOT NULL,
	seen_at FLOAT NOT NULL,
	seen_wall FLOAT NOT NULL,
	wall_seconds FLOAT NOT NULL,
	cpu_seconds FLOAT NOT NULL,
	resident_bytes INTEGER NOT NULL,
	checks INTEGER NOT NULL,
	PRIMARY KEY (id)
);

CREATE INDEX ix_usage_seen ON usage (seen_at);

CREATE TABLE observations (
	id INTEGER NOT NULL,
	series INTEGER NOT NULL,
	status TEXT NOT NULL,
	seen_at FLOAT NOT NULL,
	seen_wall FLOAT NOT NULL,
	value FLOAT,
	detail TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	facts TEXT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(series) REFERENCES series (id)
);

CREATE INDEX ix_observations_seen ON observations (seen_at);

CREATE TRIGGER ledger_keeps_entries BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_drops_only_bodies BEFORE UPDATE ON ledger
WHEN NOT (
    NEW.body IS NULL AND OLD.id <> 'ledger_pruned'
    AND NEW.seq IS OLD.seq AND NEW.kind IS OLD.kind AND NEW.id IS OLD.id AND NEW.wall_us IS OLD.wall_us
    AND NEW.steady_us IS OLD.steady_us AND NEW.actor IS OLD.actor AND NEW.incident IS OLD.incident
    AND NEW.action IS OLD.action AND NEW.body_hash IS OLD.body_hash AND NEW.hash IS OLD.hash
)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

