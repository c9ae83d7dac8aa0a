{{- define "depesche.modelVolume" -}}
{{- $volume := .Values.models.volume }}
{{- if eq $volume.type "emptyDir" -}}
emptyDir:
  sizeLimit: {{ $volume.size }}
{{- else if eq $volume.type "claim" -}}
persistentVolumeClaim:
  claimName: {{ include "depesche.claim" . }}
{{- else if eq $volume.type "image" -}}
image:
  reference: {{ $volume.image | quote }}
  pullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}
{{- end }}

{{- /* One container a model, since each has its own say on licences. They run one after another. */}}
{{- define "depesche.pull" -}}
{{- range $index, $name := .Values.models.pull }}
- name: pull-{{ $index }}
  image: {{ $.Values.models.pullImage | quote }}
  imagePullPolicy: {{ $.Values.image.pullPolicy }}
  args:
    - models
    - pull
    - {{ $name | quote }}
    {{- if has $name $.Values.models.acceptLicence }}
    - --accept-licence
    {{- end }}
  env:
    - name: DEPESCHE_PULLED_DIR
      value: {{ include "depesche.pulledDir" $ }}
    {{- if $.Values.settings.forbidNoncommercial }}
    - name: DEPESCHE_FORBID_NONCOMMERCIAL
      value: "true"
    {{- end }}
    {{- with $.Values.models.pullEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml $.Values.models.pullResources | nindent 4 }}
  securityContext:
    {{- toYaml $.Values.securityContext | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: models
      mountPath: {{ include "depesche.pulledDir" $ }}
{{- end }}
{{- end }}
