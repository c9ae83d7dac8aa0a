{{- define "depesche.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* 54 characters, so that the longest suffix still fits into a DNS label of 63. */}}
{{- define "depesche.fullname" -}}
{{- $name := include "depesche.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 54 | trimSuffix "-" }}
{{- end }}

{{- define "depesche.selectorLabels" -}}
app.kubernetes.io/name: {{ include "depesche.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "depesche.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "depesche.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "depesche.metadata" -}}
name: {{ include "depesche.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "depesche.labels" . | nindent 2 }}
{{- end }}

{{- define "depesche.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "depesche.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "depesche.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "depesche.tokensSecret" -}}
{{- .Values.auth.existingSecret | default (printf "%s-tokens" (include "depesche.fullname" .)) }}
{{- end }}

{{- define "depesche.hasTokens" -}}
{{- if or .Values.auth.existingSecret .Values.auth.tokens }}true{{ end }}
{{- end }}

{{- define "depesche.claim" -}}
{{- .Values.models.volume.existingClaim | default (printf "%s-models" (include "depesche.fullname" .)) }}
{{- end }}

{{- /* SIGTERM comes after preStop; the ten seconds are for what is left after the drain. */}}
{{- define "depesche.grace" -}}
{{- add .Values.preStopSeconds (ceil .Values.settings.drainSeconds) 10 }}
{{- end }}

{{- /* Paths inside the container; the Dockerfile has the first. */}}
{{- define "depesche.pulledDir" -}}/var/lib/depesche/models{{- end }}
{{- define "depesche.tokensDir" -}}/etc/depesche/tokens{{- end }}
{{- define "depesche.tlsDir" -}}/etc/depesche/tls{{- end }}

{{- /* A setting as its variable's text: lists between commas, maps as KEY=VALUE between commas. */}}
{{- define "depesche.setting" -}}
{{- if kindIs "slice" . -}}
{{ join "," . }}
{{- else if kindIs "map" . -}}
{{- $pairs := list }}
{{- range $key, $value := . }}{{- $pairs = append $pairs (printf "%s=%s" $key $value) }}{{- end }}
{{- join "," $pairs }}
{{- else if kindIs "float64" . -}}
{{- /* Helm reads numbers as float64, and would print a million as 1e+06. */}}
{{- if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else -}}
{{ . }}
{{- end }}
{{- end }}

{{- define "depesche.env" -}}
- name: DEPESCHE_LISTEN
  value: {{ printf "%s:%d" .Values.bindAddress (int .Values.ports.grpc) | quote }}
- name: DEPESCHE_HEALTH_LISTEN
  value: {{ printf "%s:%d" .Values.bindAddress (int .Values.ports.health) | quote }}
- name: DEPESCHE_METRICS
  value: {{ printf "%s:%d" .Values.bindAddress (int .Values.ports.metrics) | quote }}
{{- if ne .Values.models.volume.type "none" }}
- name: DEPESCHE_PULLED_DIR
  value: {{ include "depesche.pulledDir" . }}
{{- end }}
{{- if include "depesche.hasTokens" . }}
- name: DEPESCHE_TOKENS_FILE
  value: {{ include "depesche.tokensDir" . }}/{{ ternary .Values.auth.key "tokens" (ne .Values.auth.existingSecret "") }}
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: DEPESCHE_TLS_CERTIFICATE
  value: {{ include "depesche.tlsDir" . }}/tls.crt
- name: DEPESCHE_TLS_KEY
  value: {{ include "depesche.tlsDir" . }}/tls.key
{{- if .Values.tls.mutual }}
- name: DEPESCHE_TLS_CLIENT_CA
  value: {{ include "depesche.tlsDir" . }}/ca.crt
{{- end }}
{{- end }}
{{- $resources := .Values.resources }}
{{- if and (not (dig "limits" "cpu" "" $resources)) (dig "requests" "cpu" "" $resources) (not .Values.settings.workers) }}
# Without a limit the service would start a worker for each CPU of the node.
- name: DEPESCHE_WORKERS
  valueFrom:
    resourceFieldRef:
      containerName: server
      resource: requests.cpu
      divisor: "1"
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: DEPESCHE_{{ $name | snakecase | upper }}
  value: {{ include "depesche.setting" $value | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* KEDA divides by the replicas. All that wait count, at whichever replica. */}}
{{- define "depesche.kedaQuery" -}}
sum(depesche_queue_seconds{namespace={{ .Release.Namespace | quote }}, service="{{ include "depesche.fullname" . }}-headless", priority="interactive"})
{{- end }}

{{- /* Combinations that the schema can't refuse. */}}
{{- define "depesche.check" -}}
{{- $v := .Values }}
{{- if and $v.auth.existingSecret $v.auth.tokens }}
{{- fail "auth.existingSecret and auth.tokens exclude each other" }}
{{- end }}
{{- if and $v.tls.mutual (not $v.tls.existingSecret) }}
{{- fail "tls.mutual needs tls.existingSecret" }}
{{- end }}
{{- if and $v.models.pull (not (has $v.models.volume.type (list "claim" "emptyDir"))) }}
{{- fail "models.pull needs a models.volume.type that can be written: claim or emptyDir" }}
{{- end }}
{{- if and $v.models.pull (not $v.models.pullImage) }}
{{- fail "models.pull needs models.pullImage: an image with the extras for pulling" }}
{{- end }}
{{- if and (eq $v.models.volume.type "emptyDir") (not $v.models.pull) }}
{{- fail "models.volume.type emptyDir stays empty without models.pull" }}
{{- end }}
{{- range $v.models.acceptLicence }}
{{- if not (has . $v.models.pull) }}
{{- fail (printf "models.acceptLicence names %s, which isn't in models.pull" .) }}
{{- end }}
{{- end }}
{{- if and (eq $v.models.volume.type "image") (not $v.models.volume.image) }}
{{- fail "models.volume.type image needs models.volume.image" }}
{{- end }}
{{- if and (eq $v.models.volume.type "image") (semverCompare "<1.31.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "models.volume.type image needs Kubernetes 1.31, and this is %s" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if and $v.models.volume.image (ne $v.models.volume.type "image") }}
{{- fail "models.volume.image needs models.volume.type image" }}
{{- end }}
{{- if ne $v.autoscaling.kind "none" }}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas must not be more than autoscaling.maxReplicas" }}
{{- end }}
{{- if and $v.autoscaling.targetCPUPercent (not (dig "requests" "cpu" "" $v.resources)) }}
{{- fail "autoscaling.targetCPUPercent needs resources.requests.cpu, or must be 0" }}
{{- end }}
{{- $window := dig "scaleDown" "stabilizationWindowSeconds" 300 $v.autoscaling.behavior | int }}
{{- if lt $window (int (include "depesche.grace" .)) }}
{{- fail (printf "autoscaling.behavior.scaleDown.stabilizationWindowSeconds must be at least the grace of termination, %s s: replicas must not go faster than they drain" (include "depesche.grace" .)) }}
{{- end }}
{{- end }}
{{- if and (eq $v.autoscaling.kind "hpa") (lt (int $v.autoscaling.minReplicas) 1) }}
{{- fail "autoscaling.minReplicas must be at least 1 with hpa" }}
{{- end }}
{{- if eq $v.autoscaling.kind "keda" }}
{{- if not $v.autoscaling.keda.serverAddress }}
{{- fail "autoscaling.kind keda needs autoscaling.keda.serverAddress, Prometheus' address" }}
{{- end }}
{{- end }}
{{- end }}
