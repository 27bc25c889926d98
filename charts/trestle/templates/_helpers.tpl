{{- define "trestle.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "trestle.selector" -}}
app.kubernetes.io/name: trestle
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "trestle.bridgeSelector" -}}
app.kubernetes.io/name: trestle
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: bridge
{{- end -}}

{{- define "trestle.bridgeAccount" -}}
{{- if .Values.bridge.serviceAccount.create -}}
{{- default (printf "%s-bridge" (include "trestle.name" .)) .Values.bridge.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.bridge.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Where readers find the logs of Slurm jobs: a path of the API server. */ -}}
{{- define "trestle.bridgeLogs" -}}
/api/v1/namespaces/{{ .Release.Namespace }}/services/http:{{ include "trestle.name" . }}-bridge:logs/proxy
{{- end -}}

{{- define "trestle.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/name: trestle
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "trestle.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "trestle.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* An image: dict with "root" and "of" (operator, node, bridge or gateway). */ -}}
{{- define "trestle.image" -}}
{{- $image := get .root.Values.image .of -}}
{{- with .root.Values.image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .root.Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}
