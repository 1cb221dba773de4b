{{- define "edgetrust.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "edgetrust.fullname" -}}
{{- $name := include "edgetrust.name" . -}}
{{- $whole := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- /* Room for the endings -metrics and -leader-election within 63 characters. */ -}}
{{- .Values.fullnameOverride | default $whole | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "edgetrust.selector" -}}
app.kubernetes.io/name: {{ include "edgetrust.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* app.kubernetes.io/managed-by is Helm's to say: it sets it itself on what it installs, and manifests/install.yaml stays free of it. */ -}}
{{- define "edgetrust.ownLabels" -}}
{{ include "edgetrust.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: edgetrust
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "edgetrust.labels" -}}
{{ include "edgetrust.ownLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "edgetrust.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "edgetrust.fullname" .) "default") -}}
{{- end -}}

{{- /* The watched namespaces, as a JSON list. */ -}}
{{- define "edgetrust.namespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | toJson -}}
{{- end -}}

{{- define "edgetrust.leaseNamespace" -}}
{{- .Values.leaderElection.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "edgetrust.image" -}}
{{- with .Values.image -}}
{{- .digest | empty | ternary (printf "%s:%s" .repository (.tag | default $.Chart.AppVersion)) (printf "%s@%s" .repository .digest) -}}
{{- end -}}
{{- end -}}

{{- /* A map without the members that are null. */ -}}
{{- define "edgetrust.set" -}}
{{- $set := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $set $key $value -}}{{- end -}}
{{- end -}}
{{- with $set -}}{{- toYaml . -}}{{- end -}}
{{- end -}}

{{- /* The names of the kinds in the API, from the CRDs' file names, as a JSON list. */ -}}
{{- define "edgetrust.kinds" -}}
{{- $kinds := list -}}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" -}}{{- $kinds = append $kinds (base $path | splitList "." | first) -}}{{- end -}}
{{- $kinds | toJson -}}
{{- end -}}
