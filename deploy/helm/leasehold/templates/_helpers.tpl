{{/* The name of the release's objects. */}}
{{- define "leasehold.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* By what a component's pods are selected. Takes {root, component}. */}}
{{- define "leasehold.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "leasehold.labels" -}}
{{ include "leasehold.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Takes {image, tag}: an entry of the values, and the tag where it names none. */}}
{{- define "leasehold.imageOf" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .tag }}
{{- end -}}
{{- end -}}

{{- define "leasehold.image" -}}
{{ include "leasehold.imageOf" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end -}}

{{- define "leasehold.redisImage" -}}
{{ include "leasehold.imageOf" (dict "image" .Values.redis.bundled.image "tag" "7-bookworm") }}
{{- end -}}

{{- define "leasehold.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "leasehold.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* The Secret with keys and passwords. */}}
{{- define "leasehold.secretName" -}}
{{ default (include "leasehold.fullname" .) .Values.auth.existingSecret }}
{{- end -}}

{{/* Where pods are looked for, as JSON: {"namespaces": […]}. */}}
{{- define "leasehold.watched" -}}
{{ dict "namespaces" (.Values.watchNamespaces | default (list .Release.Namespace) | uniq) | toJson }}
{{- end -}}

{{- define "leasehold.targetNamespace" -}}
{{ first (include "leasehold.watched" . | fromJson).namespaces }}
{{- end -}}

{{/* The configuration file. What is the user's stands first: its keys without a table would be the provider's else. */}}
{{- define "leasehold.configuration" -}}
{{- with .Values.config -}}
{{ . | trim }}

{{ end -}}
[[provider]]
name = "kubernetes"
kind = "kubernetes"
namespaces = {{ (include "leasehold.watched" . | fromJson).namespaces | toJson }}
{{- end -}}

{{/* The volume with leasehold.toml. Takes {root, name}: the ConfigMap that has it, where no Secret does. */}}
{{- define "leasehold.configVolume" -}}
- name: config
{{- if .root.Values.existingConfigSecret }}
  secret:
    secretName: {{ .root.Values.existingConfigSecret }}
{{- else }}
  configMap:
    name: {{ .name }}
{{- end }}
{{- end -}}

{{/* Where Redis is, for a replica. */}}
{{- define "leasehold.redisEnv" -}}
{{- if .Values.redis.bundled.enabled -}}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "leasehold.secretName" . }}
      key: redis-password
- name: LEASEHOLD_REDIS__URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "leasehold.fullname" . }}-redis:6379
{{- else -}}
- name: LEASEHOLD_REDIS__URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.existingSecret | default (printf "%s-redis-url" (include "leasehold.fullname" .)) }}
      key: {{ empty .Values.redis.existingSecret | ternary "url" .Values.redis.existingSecretKey }}
{{- end -}}
{{- end -}}

{{/* The bundled Redis runs as the user of its image. */}}
{{- define "leasehold.redisPodSecurityContext" -}}
runAsNonRoot: true
runAsUser: 999
runAsGroup: 999
fsGroup: 999
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "leasehold.redisSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The claim of the bundled Redis. A StatefulSet finds what has the name that it would give. */}}
{{- define "leasehold.redisClaim" -}}
accessModes: [ReadWriteOnce]
{{- with .Values.redis.bundled.storage.storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.redis.bundled.storage.size }}
{{- end -}}

{{/* What the schema cannot say. */}}
{{- define "leasehold.check" -}}
{{- $redis := 0 -}}
{{- range list .Values.redis.bundled.enabled .Values.redis.url .Values.redis.existingSecret -}}
{{- if . -}}{{- $redis = add1 $redis -}}{{- end -}}
{{- end -}}
{{- if ne (int $redis) 1 -}}
{{- fail (printf "redis: %d of redis.bundled.enabled, redis.url and redis.existingSecret are set; right is exactly one (with your own Redis also redis.bundled.enabled=false)" $redis) -}}
{{- end -}}
{{- if and .Values.existingConfigSecret .Values.config -}}
{{- fail "config: not with existingConfigSecret, whose leasehold.toml is the whole file; right is one of them" -}}
{{- end -}}
{{- if and .Values.auth.existingSecret .Values.auth.apiKeys -}}
{{- fail "auth.apiKeys: not with auth.existingSecret; right is to put the entries into its api-keys.toml" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas = %v: right is at most autoscaling.maxReplicas (%v)" .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) -}}
{{- end -}}
{{- end -}}

{{/* Not empty when a sample target is switched on. */}}
{{- define "leasehold.anyTarget" -}}
{{- range .Values.targets -}}{{- if .enabled -}}yes{{- end -}}{{- end -}}
{{- end -}}

{{/* Of what the job needs before everything else is there. */}}
{{- define "leasehold.initAnnotations" -}}
helm.sh/hook: pre-install
helm.sh/hook-weight: "-5"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
