// The CRDs of the Gateway API, for the chart's HTTPRoute. Nothing is built of it.
module edgetrust.io/tests/stack/tools/gateway-api

go 1.24.0

require sigs.k8s.io/gateway-api v1.3.0
