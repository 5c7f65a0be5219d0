{{- define "postgres.scope" -}}
{{ .Release.Name }}-primary
{{- end }}

{{- define "postgres.nodes" -}}
{{ .Release.Name }}-nodes
{{- end }}

{{- define "postgres.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "postgres.labels" -}}
{{ include "postgres.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Patroni finds its pods and objects by these. */ -}}
{{- define "postgres.patroniLabels" -}}
{{ include "postgres.selector" . }}
scale.postgres/cluster: {{ include "postgres.scope" . }}
{{- end }}

{{- /* Not those of a node, or the Services and the budget would count it as one. */ -}}
{{- define "postgres.backupLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-backup
app.kubernetes.io/instance: {{ .Release.Name }}
scale.object-store/client: "true"
{{- end }}

{{- define "postgres.testLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "postgres.image" -}}
{{ .Values.image.name }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "postgres.priorityClass" -}}
{{ .Values.priorityClass.name | default (printf "%s-%s" .Release.Namespace .Release.Name) }}
{{- end }}

{{- define "postgres.tlsSecret" -}}
{{ .Values.tls.existingSecret | default (printf "%s-tls" .Release.Name) }}
{{- end }}

{{- define "postgres.backupPath" -}}
{{ .Values.backup.path | default (printf "/%s/%s" .Release.Namespace .Release.Name) }}
{{- end }}

{{- /* Role -> the name it has in Postgres. */ -}}
{{- define "postgres.roleNames" -}}
owner: scale_owner
app: scale_app
reader: scale_reader
monitor: monitor
replication: standby
rewind: rewind
{{- end }}

{{- define "postgres.roleSecret" -}}
{{ (index .root.Values.roles .role).existingSecret | default (printf "%s-%s" .root.Release.Name .role) }}
{{- end }}

{{- /* Every name that a client may know a Service or a node by. A wildcard needs two labels after it. */ -}}
{{- define "postgres.hostNames" -}}
{{- $domains := list .Release.Namespace (printf "%s.svc" .Release.Namespace) (printf "%s.svc.cluster.local" .Release.Namespace) -}}
- localhost
{{- range $host := list (include "postgres.scope" .) (printf "%s-replicas" .Release.Name) }}
- {{ $host }}
{{- range $domains }}
- {{ $host }}.{{ . }}
{{- end }}
{{- end }}
{{- range $domains }}
- "*.{{ include "postgres.nodes" $ }}.{{ . }}"
{{- end }}
{{- end }}
