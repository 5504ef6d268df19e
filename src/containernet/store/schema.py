"""The tables of the store, and how older ones become these.

The rule of this file: what must never happen twice is a constraint here, whatever the code above believes. A version
is only ever added; ``STEPS[n]`` brings a file of version n to version n + 1.
"""

from __future__ import annotations

STEPS = (
    """
CREATE TABLE memos (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE networks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subnets TEXT NOT NULL,
    mtu INTEGER NOT NULL, mtu_fixed INTEGER NOT NULL, ipv6 INTEGER NOT NULL, uplink TEXT NOT NULL,
    external_address TEXT NOT NULL, labels TEXT NOT NULL, created INTEGER NOT NULL, mac TEXT NOT NULL
) STRICT;
CREATE TABLE compartments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, container TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
    cookie INTEGER NOT NULL, lasting INTEGER NOT NULL, loopback INTEGER NOT NULL,
    routed TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX compartments_by_cookie ON compartments (cookie) WHERE cookie != 0;
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
    network_id INTEGER NOT NULL REFERENCES networks, compartment_id INTEGER NOT NULL REFERENCES compartments,
    interface TEXT NOT NULL, mac TEXT NOT NULL, priority INTEGER NOT NULL, created INTEGER NOT NULL,
    dynamic TEXT NOT NULL, gateways TEXT NOT NULL,
    UNIQUE (compartment_id, interface), UNIQUE (network_id, mac)
) STRICT;
CREATE TABLE addresses (
    network_id INTEGER NOT NULL REFERENCES networks, raw BLOB NOT NULL, length INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints ON DELETE CASCADE, position INTEGER NOT NULL,
    PRIMARY KEY (network_id, raw)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_endpoint ON addresses (endpoint_id, position);
CREATE TABLE mappings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint_id INTEGER NOT NULL REFERENCES endpoints,
    protocol TEXT NOT NULL, external_address TEXT NOT NULL, external_first INTEGER NOT NULL,
    external_last INTEGER NOT NULL, internal_first INTEGER NOT NULL, remotes TEXT NOT NULL,
    CHECK (external_first BETWEEN 1 AND external_last AND external_last <= 65535),
    UNIQUE (protocol, external_address, external_first)
) STRICT;
CREATE INDEX mappings_by_endpoint ON mappings (endpoint_id);
CREATE TRIGGER mappings_do_not_overlap BEFORE INSERT ON mappings WHEN EXISTS (
    SELECT 1 FROM (
        SELECT external_last FROM mappings WHERE protocol = NEW.protocol AND id != NEW.id
            AND external_address = NEW.external_address AND external_first <= NEW.external_last
        ORDER BY external_first DESC LIMIT 1
    ) WHERE external_last >= NEW.external_first
) BEGIN SELECT RAISE(ABORT, 'UNIQUE: two mappings of one external port'); END;
CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, who TEXT NOT NULL, started INTEGER NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, extra TEXT NOT NULL
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('compartments', 1);
INSERT INTO memos VALUES ('sequence', '0');
""",
    """
ALTER TABLE endpoints ADD COLUMN hostname TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN leases TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX endpoints_by_client ON endpoints (network_id, client_id) WHERE client_id != '';
""",
)
