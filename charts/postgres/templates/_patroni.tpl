{{- /* What Patroni keeps in the cluster for all nodes. */ -}}
{{- define "postgres.dynamic" -}}
ttl: {{ .Values.timing.ttl }}
loop_wait: {{ .Values.timing.loopWait }}
retry_timeout: {{ .Values.timing.retryTimeout }}
# The standby that acknowledged every commit is the only one that may take over, however far behind it seems.
synchronous_mode: {{ .Values.synchronous.enabled }}
synchronous_mode_strict: {{ .Values.synchronous.enabled }}
synchronous_node_count: 1
maximum_lag_on_failover: {{ int64 1073741824 }}
# The API may be away as long as all nodes agree on who is the primary.
failsafe_mode: true
# A crashed primary is not waited for, another takes over.
primary_start_timeout: 0
primary_stop_timeout: 10
postgresql:
  use_pg_rewind: true
  use_slots: true
  # Else a node whose disk was damaged, or that is too far behind, waits for a person.
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  parameters:
    max_connections: {{ .Values.maxConnections }}
    max_wal_senders: 16
    max_replication_slots: 16
    max_worker_processes: 8
    wal_level: replica
    wal_log_hints: "on"
{{- end }}

{{- /* What each node reads at its start. */ -}}
{{- define "postgres.patroni" -}}
scope: {{ include "postgres.scope" . }}
bootstrap:
  {{- if .Values.restore.path }}
  method: restore
  restore:
    command: /usr/local/lib/scale/restore
    no_params: true
    keep_existing_recovery_conf: true
  {{- end }}
  dcs:
    {{- include "postgres.dynamic" . | nindent 4 }}
  initdb:
    - encoding: UTF8
    - locale-provider: builtin
    - locale: C.UTF-8
    - data-checksums
  post_bootstrap: /usr/local/lib/scale/create-roles
kubernetes:
  use_endpoints: true
  labels:
    {{- include "postgres.selector" . | nindent 4 }}
  scope_label: scale.postgres/cluster
  role_label: role
  leader_label_value: primary
  follower_label_value: replica
  ports:
    - name: postgresql
      port: 5432
postgresql:
  listen: "*:5432"
  data_dir: /var/lib/postgresql/17
  bin_dir: /usr/lib/postgresql/17/bin
  pgpass: /tmp/pgpass
  use_unix_socket: true
  use_unix_socket_repl: true
  authentication:
    superuser:
      username: postgres
      {{- include "postgres.clientTls" . | nindent 6 }}
    replication:
      username: standby
      {{- include "postgres.clientTls" . | nindent 6 }}
    rewind:
      username: rewind
      {{- include "postgres.clientTls" . | nindent 6 }}
  create_replica_methods: [basebackup]
  basebackup:
    checkpoint: fast
  pg_hba:
    {{- include "postgres.hba" . | nindent 4 }}
  parameters:
    {{- include "postgres.fixedParameters" . | nindent 4 }}
    {{- toYaml .Values.parameters | nindent 4 }}
restapi:
  listen: "0.0.0.0:8008"
  certfile: /etc/scale/tls/tls.crt
  keyfile: /etc/scale/tls/tls.key
  cafile: /etc/scale/tls/ca.crt
  # What changes something needs a certificate, what asks (the kubelet's probes) does not.
  verify_client: optional
ctl:
  certfile: /etc/scale/tls/tls.crt
  keyfile: /etc/scale/tls/tls.key
  # Nodes call each other by address, which no certificate can know beforehand; names would fail with the cluster's DNS.
  insecure: true
log:
  level: INFO
{{- end }}

{{- define "postgres.clientTls" -}}
sslmode: verify-ca
sslrootcert: /etc/scale/tls/ca.crt
sslcert: /etc/scale/tls/tls.crt
sslkey: /etc/scale/tls/tls.key
{{- end }}

{{- /* The superuser only from inside its container; nobody without TLS. Nodes show a certificate beside the password. */ -}}
{{- define "postgres.hba" -}}
- local all postgres peer
- local replication postgres peer
- local replication standby scram-sha-256
- local {{ .Values.database }} monitor scram-sha-256
- hostssl replication standby all scram-sha-256 clientcert=verify-ca
- hostssl postgres rewind all scram-sha-256 clientcert=verify-ca
- hostssl {{ .Values.database }} scale_owner,scale_app,scale_reader,monitor all scram-sha-256
{{- end }}

{{- /* What the chart's promises rest on; it can't be set by values. */ -}}
{{- define "postgres.fixedParameters" -}}
{{- if .Values.backup.enabled }}
archive_mode: "on"
archive_command: /usr/local/lib/scale/archive-by-pgbackrest %p
archive_timeout: {{ .Values.backup.archiveSeconds }}s
{{- else }}
archive_mode: "off"
{{- end }}
listen_addresses: "*"
password_encryption: scram-sha-256
reserved_connections: 3
ssl: "on"
ssl_ca_file: /etc/scale/tls/ca.crt
ssl_cert_file: /etc/scale/tls/tls.crt
ssl_key_file: /etc/scale/tls/tls.key
ssl_min_protocol_version: TLSv1.2
superuser_reserved_connections: 5
synchronous_commit: "on"
unix_socket_directories: /run/postgresql
{{- end }}
