// Package cloudapi serves actions over the wire protocol that all Tencent Cloud
// "API 3.0" services share, so that the official SDKs and TCCLI work against it
// by changing one endpoint. It knows nothing of what the actions do.
//
// Words:
//
//   - An action is one callable operation. Its request and response are Go
//     structs whose tags are the declared model; the model is read once, when
//     [Handle] registers the action, and serves decoding, checking, encoding and
//     the description that [API.Actions] returns.
//   - A form is one way to write a request: JSON, multipart, or flattened names
//     in a query or body. Every form becomes a tree of nodes, and one decoder
//     fills the action's request from it.
//   - The envelope is the answer's frame: status 200, {"Response": {...}} with a
//     RequestId, and an Error member exactly when the call failed.
//   - The gateway is everything that happens before the action's function runs:
//     signature, timestamp, version, role, rate limit, decoding. It reports one
//     error, the first in the protocol's order of checks.
//   - A path names a parameter within a request, such as Filters.0.Name.
//
// A declared model is written as struct tags:
//
//	type UpdateRequest struct {
//		ScanPeriod *uint64  `json:"ScanPeriod" api:"required,min=1,max=365" doc:"days between two runs"`
//		ScanType   []string `json:"ScanType" api:"enum=CVE|VIRUS|RISK,fold,unique,maxitems=3"`
//	}
//
// Words of the api tag: required, nullable, disabled, min=N, max=N, enum=A|B|C,
// fold (an enum in any case, handed on in the enum's spelling), minlen=N,
// maxlen=N (characters), minitems=N, maxitems=N, unique. On a list, the words
// about values apply to its elements. In requests, scalars are pointers, so that
// absent and zero differ; a scalar marked required may be a plain value.
package cloudapi
