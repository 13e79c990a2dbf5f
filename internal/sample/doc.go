// Package sample makes a small registry of images with known faults, so that
// anyone can see Dogwatch find them and a test can check that it does.
//
// Nothing is downloaded and nothing is a binary in the source tree: every image
// is built on the spot from a few lines of text, always with the same digests.
//
// Words:
//
//   - sample: one artefact of the registry, an image, an index of images for
//     several platforms, or something that is not an image at all.
//   - expectation: what a scan of a sample must find, with the advisories of
//     package sample/advisories and nothing else. A finding more is as wrong
//     as a finding less.
//   - base: a layer that several samples share, so that a scan can prove it
//     reads it once.
package sample
