package registry

import (
	"context"
	"errors"
	"io"
)

type ociClient struct{ endpoint Endpoint }

func newOCI(e Endpoint, t Target, o Options) *ociClient { return &ociClient{endpoint: e} }

func newHarbor(c *ociClient) Client { return c }

var errUnfinished = errors.New("registry: not available in this build")

func (c *ociClient) Check(ctx context.Context) error { return errUnfinished }
func (c *ociClient) Repositories(ctx context.Context, yield func(Repository) error) error {
	return errUnfinished
}
func (c *ociClient) Tags(ctx context.Context, r Repository, yield func(Tag) error) error {
	return errUnfinished
}
func (c *ociClient) Head(ctx context.Context, path, ref string) (string, error) {
	return "", errUnfinished
}
func (c *ociClient) Image(ctx context.Context, path, ref string) (*Image, error) {
	return nil, errUnfinished
}
func (c *ociClient) Blob(ctx context.Context, path string, d Descriptor) (io.ReadCloser, error) {
	return nil, errUnfinished
}
func (c *ociClient) Host() string { return c.endpoint.Address() }
