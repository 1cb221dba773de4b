// The CRDs of Argo CD and Flux, for the samples that hand the fleet to them. Nothing is built of it.
module edgetrust.io/tests/stack/tools/gitops

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.4.0
	github.com/fluxcd/kustomize-controller v1.9.0
	github.com/fluxcd/source-controller v1.9.0
)
