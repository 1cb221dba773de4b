// The CRDs of the Prometheus operator, for the chart's ServiceMonitor and PrometheusRule. Nothing is built of it.
module edgetrust.io/tests/stack/tools/prometheus-operator

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
