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

{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) -}}
{{- $wrong = append $wrong (printf "replicas is %d and leaderElection.enabled is false, so that all of them would work at once: set one operator, or let them elect." (int .Values.replicas)) -}}
{{- end -}}

{{- /* Only the NetworkPolicy keeps every pod of the cluster from reading the page past its login. */ -}}
{{- if and .Values.page.enabled .Values.page.hosts (not .Values.networkPolicy.enabled) (not .Values.page.withoutNetworkPolicy) -}}
{{- $wrong = append $wrong "page.hosts are set and networkPolicy.enabled is false, so that every pod of the cluster could read the page past the login: set networkPolicy.enabled, or page.withoutNetworkPolicy where something else, as a mesh, keeps them away." -}}
{{- end -}}

{{- $log := .Values.audit.log -}}
{{- with .Values.audit.sink -}}
{{- if and (not .url) (or .keyFile .caFile) -}}
{{- $wrong = append $wrong "audit.sink.url is empty, and without it nothing is sent: set it, or empty audit.sink.keyFile and audit.sink.caFile." -}}
{{- end -}}
{{- if and .url (not .keyFile) -}}
{{- $wrong = append $wrong "audit.sink.keyFile is empty: name a file with the key that signs what is sent, from a Secret, by extraVolumes and extraVolumeMounts." -}}
{{- end -}}
{{- if and .url (not (hasPrefix "/" $log)) -}}
{{- $wrong = append $wrong "audit.log names no file, and what a sink has not taken is kept in one: name it, on a volume, as /var/lib/edgetrust/audit.log." -}}
{{- end -}}
{{- end -}}

{{- if hasPrefix "/" $log -}}
{{- $kept := false -}}
{{- range .Values.extraVolumeMounts -}}{{- if or (eq .mountPath $log) (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $log) -}}{{- $kept = true -}}{{- end -}}{{- end -}}
{{- if not $kept -}}
{{- $wrong = append $wrong (printf "audit.log is %s, and no volume of extraVolumeMounts holds it: the file system of the container cannot be written to." $log) -}}
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
{{- if hasKey $own $label -}}
{{- $wrong = append $wrong (printf "%s: the label %s is there already: leave it out. The chart sets it." $path $label) -}}
{{- else if and (ne $path "commonLabels") (hasKey $common $label) -}}
{{- $wrong = append $wrong (printf "%s: the label %s is there already: leave it out. commonLabels sets it." $path $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey (.Values.podAnnotations | default dict) "kubectl.kubernetes.io/default-container" -}}
{{- $wrong = append $wrong "podAnnotations: kubectl.kubernetes.io/default-container is there already: leave it out. The chart sets it." -}}
{{- end -}}

{{- with $wrong -}}{{- fail (join "\n" (prepend . "these values cannot work:")) -}}{{- end -}}
{{- end -}}
