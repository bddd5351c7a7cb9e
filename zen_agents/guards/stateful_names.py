"""Databases, brokers, storage daemons, and what runs other people's machines, as shipped (R25); shell patterns.

The configuration adds to the list (`stateful_units`), and lifts a name from it only by allowing exactly that name.
"""

from __future__ import annotations

#: Compared with the names of units (without `.service`), services and processes, in lower case.
NAMES = (
    "postgres", "postgres@*", "postgresql*", "mysql", "mysqld*", "mysql@*", "mariadb*", "mongod*", "mongodb*", "mongos",
    "percona*", "redis*", "valkey*", "keydb*", "dragonfly*", "memcached*", "etcd*", "consul*", "vault*", "zookeeper*",
    "cassandra*", "scylla*", "couchdb*", "couchbase*", "clickhouse*", "cockroach*", "tikv*", "tidb*", "foundationdb*",
    "fdbserver", "neo4j*", "arangod*", "rethinkdb*", "oracle*", "db2*", "mssql*", "sqlservr", "firebird*", "slapd*",
    "dirsrv@*", "ns-slapd", "elasticsearch*", "opensearch*", "solr*", "meilisearch*", "influxd*", "influxdb*",
    "prometheus*", "victoria*", "questdb*", "timescaledb*", "qdrant*", "milvus*", "weaviate*",
    "rabbitmq*", "beam.smp", "kafka*", "redpanda*", "pulsar*", "activemq*", "artemis*", "nats*", "mosquitto*", "emqx*",
    "nsqd*", "beanstalkd*",
    "ceph*", "gluster*", "minio*", "seaweedfs*", "nfs-server*", "nfs-kernel-server*", "nfsd", "rpcbind*", "smbd*", "samba*",
    "iscsid*", "iscsi*", "tgt*", "multipathd*", "drbd*", "lvm2-*", "mdadm*", "mdmonitor*", "zfs*", "zed", "corosync*",
    "pacemaker*", "libvirtd*", "virtqemud*", "qemu-*", "qemu-kvm*", "docker", "dockerd", "containerd*", "podman*", "crio*",
    "kubelet*", "k3s*", "lxd*", "incus*",
)  # fmt: skip

#: Where they keep what they hold: nothing is cleaned, cleared or re-owned in here unasked.
TREES = (
    "/var/lib/postgresql", "/var/lib/pgsql", "/var/lib/mysql", "/var/lib/mariadb", "/var/lib/mongodb", "/var/lib/mongo",
    "/var/lib/redis", "/var/lib/valkey", "/var/lib/etcd", "/var/lib/cassandra", "/var/lib/clickhouse", "/var/lib/influxdb",
    "/var/lib/prometheus", "/var/lib/elasticsearch", "/var/lib/opensearch", "/var/lib/rabbitmq", "/var/lib/kafka",
    "/var/lib/zookeeper", "/var/lib/couchdb", "/var/lib/neo4j", "/var/lib/ldap", "/var/lib/ceph", "/var/lib/glusterd",
    "/var/lib/minio", "/var/lib/libvirt", "/var/lib/nats", "/var/lib/mosquitto", "/var/lib/samba", "/var/lib/nfs",
)  # fmt: skip
