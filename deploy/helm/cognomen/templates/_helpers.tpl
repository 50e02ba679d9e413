{{- define "cognomen.labels" -}}
app.kubernetes.io/name: cognomen
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "cognomen.name" -}}
{{ .Release.Name }}-cognomen
{{- end -}}
