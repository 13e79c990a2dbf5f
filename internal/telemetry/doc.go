// Package telemetry is what an operator sees of the running service: its log,
// its metrics and its health. It knows nothing of scanning and imports nothing
// of ours, so every room may use it.
//
// Words:
//
//   - log: JSON lines, one grammar. The message is constant text ("layer
//     inspected"); what varies is an attribute. Attributes that name a
//     credential are redacted whatever their value, see NewLogger.
//   - metrics: counters on a listener of their own, see Metrics.
//   - health: two questions. /healthz asks whether the process lives; /readyz
//     asks whether it can do its work, which is every registered check. See Health.
package telemetry
