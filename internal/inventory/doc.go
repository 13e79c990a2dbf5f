// Package inventory knows which images a registry holds and what is visible in
// each of them.
//
// Words:
//
//   - image: one tag of one repository of one registry; a row that points to a
//     manifest digest.
//   - content: what an account learned of one manifest (layers, masked history,
//     risks of the configuration). Many images may share one content.
//   - inventory: the facts of an image's layers laid over each other.
//   - synchronisation: reading a registry's repositories and tags and bringing
//     the image rows in line with them.
//   - moved image: its tag points to another manifest than before. It keeps its
//     row and loses its scan state.
//
// # Laying layers over each other
//
// Assemble is a pure function. It applies the layers from the base up to a tree
// that holds only the paths which carry facts, and follows the OCI rules:
//
//   - a whiteout deletes a path of the lower layers with everything below it;
//   - an opaque directory deletes what the lower layers put below it, and
//     nothing of its own layer;
//   - an entry replaces what lies at its path: anything but a directory takes
//     the place of a whole subtree, a directory takes the place of a file or a
//     link and leaves the content of a directory alone;
//   - a hard link carries the facts of its target, and keeps them when the
//     target goes;
//   - a path that leads through a symbolic link to a directory (lib -> usr/lib)
//     means the directory, as long as the link is visible. Chains of links are
//     followed to a bound, loops are not followed at all.
//
// A layer remembers what it overwrites as path hashes, so the cost is
// proportional to the entries of the layers, not to layers times facts.
//
// A package belongs to the lowest layer from which it has been present without
// a break, however often its database was rewritten above. Of the databases of
// one package manager in one directory the topmost counts, whole.
//
// # What is not promised
//
// The order of entries inside one layer is not known here: an archive that
// writes a path twice, in different roles, is read as if its links came first.
// The gaps of a layer stay gaps even if a higher layer hides the path they name.
package inventory
