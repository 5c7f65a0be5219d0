{{- /* Values that contradict each other, each refused with a sentence. */ -}}
{{- define "postgres.checks" -}}
{{- $values := .Values -}}
{{- if and $values.synchronous.enabled (lt (int $values.replicas) 2) -}}
{{- fail "synchronous.enabled needs replicas of 2 or more: a commit waits for a second node." -}}
{{- end -}}
{{- if and (not $values.synchronous.enabled) (not $values.synchronous.acceptLoss) -}}
{{- fail "synchronous.enabled=false loses acknowledged writes when the primary is lost: set synchronous.acceptLoss=true if that is meant." -}}
{{- end -}}
{{- if and (not $values.tls.generate) (not $values.tls.existingSecret) -}}
{{- fail "There is no connection without TLS: set tls.generate=true, or name a Secret in tls.existingSecret." -}}
{{- end -}}
{{- $timing := $values.timing -}}
{{- if gt (add $timing.loopWait (mul 2 $timing.retryTimeout)) (int64 $timing.ttl) -}}
{{- fail "timing: loopWait + 2 * retryTimeout must not exceed ttl, or a primary still writes when its lease is another's." -}}
{{- end -}}
{{- if and (include "postgres.usesBucket" .) (eq (not $values.backup.secret) (not $values.backup.role)) -}}
{{- fail "A bucket is opened by the keys in backup.secret or by the AWS role backup.role: set one of them, not both." -}}
{{- end -}}
{{- if and $values.restore.time (not $values.restore.path) -}}
{{- fail "restore.time says when, not of what: set restore.path as well." -}}
{{- end -}}
{{- if and $values.restore.path (eq $values.restore.path (include "postgres.backupPath" .)) -}}
{{- fail "restore.path is where this release keeps its own backups: a restored cluster needs a path, so a release name, of its own." -}}
{{- end -}}
{{- $dynamic := (include "postgres.dynamic" . | fromYaml).postgresql.parameters -}}
{{- range $name := concat (include "postgres.fixedParameters" . | fromYaml | keys) (keys $dynamic) (list "fsync" "full_page_writes" "port" "synchronous_standby_names") -}}
{{- if hasKey $values.parameters $name -}}
{{- fail (printf "parameters.%s is set by the chart, whose promises rest on it: leave it out." $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
