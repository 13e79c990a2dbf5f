// Package registrytest provides registries for tests.
//
// StartDistribution runs the real docker-registry of Debian; with a TokenServer
// it asks for bearer tokens. FakeHarbor is a double that behaves as Harbor does
// where that matters to a reader. Images and indexes are made in memory with
// Image, Layer and Index, and pushed with PushImage and PushIndex.
package registrytest
