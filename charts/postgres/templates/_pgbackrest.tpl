{{- /* Whether there is a bucket: to write backups to, or one to start from. */ -}}
{{- define "postgres.usesBucket" -}}
{{ ternary "true" "" (or .Values.backup.enabled (not (empty .Values.restore.path))) }}
{{- end }}

{{- /* Where backups lie; the keys are in the environment. */ -}}
{{- define "postgres.pgbackrest" -}}
[global]
repo1-type=s3
repo1-s3-endpoint={{ .Values.backup.endpoint }}
repo1-storage-port={{ .Values.backup.port }}
repo1-s3-bucket={{ .Values.backup.bucket }}
repo1-s3-region={{ .Values.backup.region }}
repo1-s3-uri-style={{ .Values.backup.uriStyle }}
{{- if .Values.backup.secret }}
repo1-storage-ca-file=/etc/scale/object-store/ca.crt
{{- else }}
repo1-s3-key-type=web-id
{{- end }}
repo1-path={{ include "postgres.backupPath" . }}
repo1-retention-full={{ .Values.backup.keep }}
repo1-bundle=y
repo1-block=y
compress-type=zst
start-fast=y
archive-timeout=60
lock-path=/tmp/pgbackrest
spool-path=/tmp/pgbackrest
log-level-file=off
log-level-console=warn
log-level-stderr=off
{{- end }}

{{- /* A node: pushes its WAL itself, and lets the backup's job in by its certificate. */ -}}
{{- define "postgres.pgbackrestNode" -}}
tls-server-address=*
tls-server-ca-file=/etc/scale/tls/ca.crt
tls-server-cert-file=/etc/scale/tls/tls.crt
tls-server-key-file=/etc/scale/tls/tls.key
tls-server-auth={{ include "postgres.scope" . }}=scale

[scale]
pg1-path=/var/lib/postgresql/17
pg1-socket-path=/run/postgresql

# A restore waits for the disk after each of a thousand files.
[global:restore]
process-max=4
{{- end }}

{{- /* The job: asks every node who it is, and copies from a standby where there is one. */ -}}
{{- define "postgres.pgbackrestJob" -}}
backup-standby=prefer

[scale]
{{- range $number := until (int .Values.replicas) }}
{{- $node := printf "pg%d" (add1 $number) }}
{{ $node }}-host={{ $.Release.Name }}-{{ $number }}.{{ include "postgres.nodes" $ }}.{{ $.Release.Namespace }}.svc
{{ $node }}-host-type=tls
{{ $node }}-host-ca-file=/etc/scale/tls/ca.crt
{{ $node }}-host-cert-file=/etc/scale/tls/tls.crt
{{ $node }}-host-key-file=/etc/scale/tls/tls.key
{{ $node }}-path=/var/lib/postgresql/17
{{ $node }}-socket-path=/run/postgresql
{{- end }}
{{- end }}

{{- define "postgres.storeKeys" -}}
{{- if .Values.backup.secret -}}
- name: PGBACKREST_REPO1_S3_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.backup.secret }}
      key: access-key
- name: PGBACKREST_REPO1_S3_KEY_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ .Values.backup.secret }}
      key: secret-key
{{- end }}
{{- end }}

{{- define "postgres.storeVolume" -}}
{{- if .Values.backup.secret -}}
- name: object-store
  secret:
    secretName: {{ .Values.backup.secret }}
    defaultMode: 0440
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- end }}

{{- define "postgres.storeMount" -}}
{{- if .Values.backup.secret -}}
- name: object-store
  mountPath: /etc/scale/object-store
{{- end }}
{{- end }}
