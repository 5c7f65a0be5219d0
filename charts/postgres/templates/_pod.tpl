{{- define "postgres.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "postgres.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* Who the node is, for Patroni and the keeper, and the passwords, which are in no file. */ -}}
{{- define "postgres.environment" -}}
{{- $root := . -}}
- name: PATRONI_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: PATRONI_KUBERNETES_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: PATRONI_KUBERNETES_POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: PATRONI_POSTGRESQL_CONNECT_ADDRESS
  value: $(PATRONI_KUBERNETES_POD_IP):5432
- name: PATRONI_RESTAPI_CONNECT_ADDRESS
  value: $(PATRONI_KUBERNETES_POD_IP):8008
- name: PATRONI_SCOPE
  value: {{ include "postgres.scope" . }}
- name: SCALE_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: SCALE_POD_SELECTOR
  value: app.kubernetes.io/name={{ .Chart.Name }},app.kubernetes.io/instance={{ .Release.Name }}
- name: SCALE_DATABASE
  value: {{ .Values.database }}
{{- if .Values.restore.path }}
- name: SCALE_RESTORE_PATH
  value: {{ .Values.restore.path }}
- name: SCALE_RESTORE_TIME
  value: {{ .Values.restore.time | quote }}
{{- end }}
{{- range $role, $variable := dict "owner" "SCALE_OWNER_PASSWORD" "app" "SCALE_APP_PASSWORD" "reader" "SCALE_READER_PASSWORD" "monitor" "SCALE_MONITOR_PASSWORD" "replication" "PATRONI_REPLICATION_PASSWORD" "rewind" "PATRONI_REWIND_PASSWORD" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "postgres.roleSecret" (dict "root" $root "role" $role) }}
      key: password
{{- end }}
{{- end }}
