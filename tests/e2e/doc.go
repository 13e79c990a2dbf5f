// Package e2e holds the tests that use Dogwatch as its users do: official SDK
// clients, a real registry process, real images, and a real process to kill.
package e2e
