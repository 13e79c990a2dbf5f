// Package tcss is the TCSS API 2020-11-01 for registry images: one function per
// action, one file per topic. It translates between the wire and the rooms
// below and leaves every decision to them; what it checks itself are values.
//
// Words:
//
//   - action: a named operation of the API. Its request and answer are structs
//     whose tags are the published model, so there is one place per field.
//   - list id: the number of an image row (Id, ImageAssetId). Registry images are
//     chosen by list id, by content id (ImageId, "sha256:...") or by name (ImageInfo).
//   - choice: which images a scan takes, in whichever way the caller put it.
//   - zone: the one zone that times of day are read in and zone-less moments
//     are written in.
//
// # Rules of all actions
//
// Everything belongs to the caller's account. An id of another account is
// answered exactly as one that does not exist.
//
// A page has 10 rows unless Limit says otherwise, at most 100; Limit 0 asks for
// TotalCount alone. Unknown filter names and sort keys are ignored, and a filter
// whose only value is "all" filters nothing.
//
// # Roles
//
// Describe and Check actions need a read-only key. Scanning, stopping,
// synchronising, licensing and the scheduled scan need an operator, as do adding
// and changing a registry: they are daily work. Removing a registry destroys
// results and needs an administrator. A read-only caller is not shown the token
// of a webhook.
package tcss
