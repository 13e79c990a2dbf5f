package inspect

import "fmt"

// Codes of an Error.
const (
	CodeLayerBroken          = "LayerBroken"          // cut, corrupt, no archive, or not what its digest says
	CodeUnsupportedMediaType = "UnsupportedMediaType" // a kind of layer this inspector does not know
	CodeInspectorFailed      = "InspectorFailed"      // a defect of the inspector itself
)

// Error says why nothing can be said about a layer.
type Error struct {
	Code   string // one of the codes above
	Digest string // the layer
	Reason string // a sentence for people
	Err    error  // the cause, may be nil
}

// Error names the layer, the code and the cause.
func (e *Error) Error() string {
	s := fmt.Sprintf("inspect: layer %s: %s (%s)", e.Digest, e.Reason, e.Code)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
