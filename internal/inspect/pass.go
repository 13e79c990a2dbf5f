package inspect

import (
	"context"
	"errors"
	"io"

	"dogwatch/internal/facts"
)

// Inspect makes the one pass over the layer r.
func (in *InProcess) Inspect(ctx context.Context, l Layer, r io.Reader) (*facts.Layer, error) {
	return nil, errors.New("inspect: under construction")
}
