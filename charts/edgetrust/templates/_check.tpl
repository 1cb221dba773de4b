{{- /* Values that are right each by itself and cannot work, or that the schema's words would not help with: all of them at once, each with what to change. */ -}}
{{- define "edgetrust.check" -}}
{{- $wrong := list -}}

{{- if not .Values.image.repository -}}
{{- $wrong = append $wrong "image.repository is empty: no image is published. Build it by `make image`, push it to a registry of yours, and set its name here, as registry.example.com/edgetrust." -}}
{{- end -}}

{{- /* A container cannot listen twice on one port. */ -}}
{{- $ports := dict "metrics.port" .Values.metrics.port -}}
{{- if .Values.http01.enabled -}}{{- $_ := set $ports "http01.port" .Values.http01.port -}}{{- end -}}
{{- if .Values.page.enabled -}}{{- $_ := set $ports "page.port" .Values.page.port -}}{{- end -}}
{{- range $one, $port := $ports -}}
{{- range $other, $same := $ports -}}
{{- if and (lt $one $other) (eq (int $port) (int $same)) -}}
{{- $wrong = append $wrong (printf "%s and %s are both %d: give one of them another." $one $other (int $port)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with .Values.audit.sink -}}
{{- if and (not .url) (or .keyFile .caFile) -}}
{{- $wrong = append $wrong "audit.sink.url is empty, and without it nothing is sent: set it, or empty audit.sink.keyFile and audit.sink.caFile." -}}
{{- end -}}
{{- end -}}

{{- if and .Values.http01.enabled .Values.http01.httpRoute.enabled (not .Values.http01.httpRoute.parentRefs) -}}
{{- $wrong = append $wrong "http01.httpRoute.parentRefs is empty: name the Gateway that the route belongs to, as [{name: public, namespace: gateways}]." -}}
{{- end -}}

{{- $alerts := list -}}
{{- range (.Files.Get "files/alerts.yaml" | fromYaml).groups -}}{{- range .rules -}}{{- with .alert -}}{{- $alerts = append $alerts . -}}{{- end -}}{{- end -}}{{- end -}}
{{- range .Values.prometheusRule.disabled -}}
{{- if not (has . $alerts) -}}
{{- $wrong = append $wrong (printf "prometheusRule.disabled: there is no alert %s. There are %s." . (join ", " $alerts)) -}}
{{- end -}}
{{- end -}}

{{- /* A key that stands twice is no YAML, and the second would take the first one's place: the pods would no longer be those that are selected. */ -}}
{{- $own := include "edgetrust.ownLabels" . | fromYaml -}}
{{- $common := .Values.commonLabels | default dict -}}
{{- range $path := list "commonLabels" "podLabels" "metrics.service.labels" "http01.service.labels" "http01.ingress.labels" "http01.httpRoute.labels" "page.service.labels" "serviceMonitor.labels" "prometheusRule.labels" "dashboards.labels" -}}
{{- $labels := $.Values -}}
{{- range splitList "." $path -}}{{- $labels = index $labels . -}}{{- end -}}
{{- range $label, $_ := $labels -}}
{{- if or (hasKey $own $label) (and (ne $path "commonLabels") (hasKey $common $label)) -}}
{{- $wrong = append $wrong (printf "%s: the label %s is there already: leave it out. The chart sets it, or commonLabels does." $path $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- with $wrong -}}{{- fail (join "\n" (prepend . "these values cannot work:")) -}}{{- end -}}
{{- end -}}
