// Package registry reads container registries: which repositories and images
// they hold, and the bytes of those images.
//
// Its words:
//
//   - A Target is what an operator typed: type, URL, credentials, limits.
//   - An Endpoint is the address taken apart: scheme, host with port, prefix.
//   - A Client answers the questions of one Target. Listings differ from product
//     to product (Harbor has an API of its own); pulls always go through the
//     distribution protocol under /v2/.
//   - A path is the whole name of a repository inside its registry, "team/app".
//     What a product calls namespace is the part before the first slash.
//   - A ref is a tag or a digest.
//   - A challenge is one way to log in that a 401 offers; the realm is the
//     address of the token service a Bearer challenge names; the scope is what a
//     token is good for.
//   - A Failure says what went wrong in words an operator can act on.
//
// Registries are foreign ground. Every body has a limit, every byte of a
// manifest, config or layer is checked against its digest before it is called
// good, and every paging loop has an end. Every address is judged after its name
// was resolved, whether it comes from the operator, a realm, a Link or a
// redirect: see Options.AllowPrivate. Credentials go to the registry itself and
// to its token service, and to no third place.
package registry
