"""Tables of the store. Times are Unix nanoseconds (BIGINT); documents are JSON.

Changing a table means a new numbered file in `migrations/`; what stands here is the newest shape.
"""

import sqlalchemy as sa

metadata = sa.MetaData()
# SQLite counts up by itself only on a column that is exactly INTEGER.
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

site = sa.Table(
    "site",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),  # RoomConfig without links
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("link", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, index=True),  # None: unassigned
    sa.Column("nic", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("last_capture_ns", sa.BigInteger),  # newest processed frame; a replay anchors itself after it
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
    sa.Column("transmitter", sa.BigInteger),  # MAC address that the link was last seen to follow
)

states = sa.Table(
    "states",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),  # of the event that last changed it
    sa.Column("doc", sa.JSON, nullable=False),  # service.state.TaskState
    sa.Column("memory", sa.JSON, nullable=False),  # what the state machine must remember over a restart
    sa.Column("received_ns", sa.BigInteger),  # host time of the newest frame behind it
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("from_ns", sa.BigInteger, nullable=False),
    sa.Column("to_ns", sa.BigInteger, nullable=False),
    sa.Column("observed_ns", sa.BigInteger, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.UniqueConstraint("room", "task", "to_ns", name="one_prediction_a_window"),
    sqlite_autoincrement=True,
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("room", sa.Text, index=True),
    sa.Column("severity", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # a number is never used twice, not even after retention deleted it
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("room", sa.Text, index=True),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # service.rooms.alerting.alert.AlertState
    sa.Column("raised_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
    sa.Column("cleared_ns", sa.BigInteger),
    sa.Column("doc", sa.JSON, nullable=False),  # what it is about; only the worker writes it
    sa.Column("kind", sa.Text, nullable=False),  # of its rule
    sa.Column("subject", sa.Text, nullable=False),  # a task or a link
    # Whether its condition holds, as far as is known: what was dismissed is not raised again until it ends.
    sa.Column("holds", sa.Boolean, nullable=False, index=True),
    sa.Column("marks", sa.JSON, nullable=False),  # what people did about it; only the api writes it
    sa.Column("snoozed_until_ns", sa.BigInteger),
    sa.Column("from_ns", sa.BigInteger),  # capture time from when it held; None: it is not about frames
    sa.Column("to_ns", sa.BigInteger),
)

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),  # service.rooms.alerting.rules
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

alert_waits = sa.Table(
    "alert_waits",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("since_ns", sa.BigInteger, nullable=False),  # capture time from when its condition holds
)

screenings = sa.Table(
    "screenings",
    metadata,
    sa.Column("screening", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),  # open, closed
    sa.Column("from_ns", sa.BigInteger),  # capture time of the walk
    sa.Column("to_ns", sa.BigInteger),
    sa.Column("opened_ns", sa.BigInteger, nullable=False),
    sa.Column("closed_ns", sa.BigInteger),
    sa.Column("found", sa.Text),
    sa.Column("actor", sa.Text),
    sa.Column("doc", sa.JSON, nullable=False),  # the sample that came of it, or why none did
)

baselines = sa.Table(
    "baselines",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),  # the prefix people see
    sa.Column("hash", sa.Text, nullable=False),  # SHA-256 of the secret, which has 256 random bits
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("room", sa.Text),  # None: every room
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("expires_ns", sa.BigInteger),
    sa.Column("revoked_ns", sa.BigInteger),
)

login_tokens = sa.Table(
    "login_tokens",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # login (one use, from the printed URL) or session (cookie)
    sa.Column("key_id", sa.Text),  # the key a session was opened with: it ends with it; None: the printed URL
    sa.Column("expires_ns", sa.BigInteger, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sqlite_autoincrement=True,
)

samples = sa.Table(
    "samples",
    metadata,
    sa.Column("sample", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),  # pending, accepted, rejected, expired
    sa.Column("origin", sa.Text, nullable=False),  # live, replay, simulated, upload, false_alarm
    sa.Column("from_ns", sa.BigInteger, nullable=False),  # capture time
    sa.Column("to_ns", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.JSON, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    # models.signal.clip; None while pending, or rejected. Last: SQLite reads through it to what follows.
    sa.Column("windows", sa.LargeBinary),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # adaptation, recalibration
    sa.Column("state", sa.Text, nullable=False, index=True),  # service.adaptation.states
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),  # progress, metrics, reason
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("version", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # shadow, active, retired, refused
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("model", sa.Text, nullable=False),  # the backbone its head stands on
    sa.Column("model_digest", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 of `head`
    sa.Column("doc", sa.JSON, nullable=False),  # metrics before and after, candidates, samples
    sa.Column("shadow", sa.JSON, nullable=False),  # what was seen while it ran beside the active one
    sa.Column("job", sa.Text),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("activated_ns", sa.BigInteger),
    sa.Column("head", sa.LargeBinary, nullable=False),  # .npz of models.adapt.head
    sqlite_autoincrement=True,
)

activations = sa.Table(
    "activations",
    metadata,
    sa.Column("activation", _COUNTER, primary_key=True, autoincrement=True),  # the highest serves: a stack
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("activated_ns", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),  # of the request
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("made", sa.Text, nullable=False, index=True),  # id of what it made
    sa.Column("created_ns", sa.BigInteger, nullable=False),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # Idempotency-Key
    sa.Column("digest", sa.Text, nullable=False),  # of the request
    sa.Column("room", sa.Text, index=True),
    sa.Column("status", sa.Integer),  # None: being worked on
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary),  # None: it held a secret
    sa.Column("created_ns", sa.BigInteger, nullable=False),
)

outlet_cursors = sa.Table(
    "outlet_cursors",
    metadata,
    sa.Column("outlet", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),  # the peer has every event up to this one
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("webhook", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, index=True),  # of the admin who made it; None: the whole site
    sa.Column("secret", sa.Text, nullable=False),  # sealed: service.outlets.webhooks.secrets
    sa.Column("doc", sa.JSON, nullable=False),  # url, types, rooms, until, min_severity
    sa.Column("state", sa.Text, nullable=False),  # enabled, disabled
    sa.Column("reason", sa.Text),  # why it is disabled
    sa.Column("health", sa.JSON, nullable=False),  # what its deliveries met lately
    sa.Column("replay_after", sa.BigInteger),  # asked for, not begun: its cursor is to be put there
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

bacnet_rooms = sa.Table(
    "bacnet_rooms",
    metadata,
    sa.Column("number", _COUNTER, primary_key=True, autoincrement=True),  # instance of the room's objects
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),  # of the room: one made again is another room
    sa.UniqueConstraint("room", "created_ns", name="one_number_a_room"),
    sqlite_autoincrement=True,
)

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("from_ns", sa.BigInteger),  # somebody paused it then; None: nobody did, or it is over
    sa.Column("until_ns", sa.BigInteger),  # None: until somebody resumes it
    sa.Column("schedule", sa.JSON(none_as_null=True)),  # service.rooms.schedule
    sa.Column("resumed_ns", sa.BigInteger),  # what the schedule began before that is over
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("erased_ns", sa.BigInteger, nullable=False),  # newest: the worker forgets what it holds as well
)
