package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	checkTimeout   = time.Minute
	listTimeout    = 10 * time.Minute // one page; registries on object stores walk all of it
	maxListing     = 32 << 20
	catalogueScope = "registry:catalog:*"
	catalogueGiven = "the list of repositories can't be read from this registry: use a user who may list it"
)

// ociClient speaks the distribution protocol.
type ociClient struct {
	session *session
	target  Target
	speed   *speed
}

func newOCI(e Endpoint, t Target, o Options) *ociClient {
	return &ociClient{session: newSession(e, t, o), target: t, speed: newSpeed(t, o)}
}

// Host is the address images of this registry begin with.
func (c *ociClient) Host() string { return c.session.endpoint.Address() }

func pullScope(path string) string { return "repository:" + path + ":pull" }

// v2 is an address of the distribution protocol. The parts are joined by
// slashes, and must have been checked.
func (c *ociClient) v2(parts ...string) *url.URL {
	u, err := url.Parse(c.session.endpoint.url("/v2/" + strings.Join(parts, "/")))
	if err != nil { // endpoint, paths, tags and digests have grammars that URLs include
		return &url.URL{}
	}
	return u
}

// Check asks for /v2/ and then for one entry of the catalogue.
func (c *ociClient) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := c.ping(ctx, authChallenge); err != nil {
		return err
	}
	return c.checkCatalogue(ctx)
}

// ping tells apart: reached and logged in, refused, and not a registry.
func (c *ociClient) ping(ctx context.Context, mode authMode) error {
	const op = "test the connection"
	resp, err := c.session.do(ctx, request{op: op, url: c.v2(), auth: mode})
	if err != nil {
		return err
	}
	defer discard(resp)
	if f := judgePing(resp); f != nil {
		f.Op, f.Err = op, &statusError{status: resp.StatusCode}
		return c.session.named(f)
	}
	return nil
}

func judgePing(resp *http.Response) *Failure {
	known := resp.Header.Get("Docker-Distribution-Api-Version") != ""
	html := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
	switch {
	case resp.StatusCode == http.StatusOK && (known || !html):
		return nil
	case resp.StatusCode == http.StatusUnauthorized && (known || len(parseChallenges(resp.Header)) > 0),
		resp.StatusCode == http.StatusForbidden && !html:
		return explainStatus(resp.StatusCode, answerError{})
	}
	reason := fmt.Sprintf("what answers is not a container registry (status %d for /v2/)", resp.StatusCode)
	if resp.StatusCode == http.StatusBadRequest {
		reason = "the server refuses plain requests (status 400): it may speak only https on this port"
	}
	return &Failure{Kind: KindNotRegistry, Reason: reason, Solution: "check the URL: scheme, host, port and path"}
}

// checkCatalogue finds out whether repositories can be listed.
func (c *ociClient) checkCatalogue(ctx context.Context) error {
	const op = "test the connection: list repositories"
	u := c.v2("_catalog")
	u.RawQuery = "n=1"
	body, _, err := c.session.fetch(ctx, request{op: op, url: u, scope: catalogueScope}, maxListing)
	if err != nil {
		return catalogueFailure(op, err)
	}
	_, err = parseCatalogue(op, body)
	return err
}

// catalogueFailure tells a registry that refuses its catalogue from one that
// is down: many products have none, or show it to administrators only.
func catalogueFailure(op string, err error) error {
	status, _ := statusOf(err)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return &Failure{Kind: KindCatalogue, Op: op, Err: err,
			Reason:   fmt.Sprintf("the registry is reached, but refuses to list its repositories (status %d)", status),
			Solution: catalogueGiven}
	}
	return err
}

// Repositories walks the catalogue.
func (c *ociClient) Repositories(ctx context.Context, yield func(Repository) error) error {
	const op = "list repositories"
	l := &listing{op: op, scope: catalogueScope, first: c.v2("_catalog"), parse: parseCatalogue}
	err := c.walk(ctx, l, func(path string) error {
		if !validPath(path) {
			c.session.options.Logger.WarnContext(ctx, "repository with an unusable name is left out", "repository", printable(path, 128))
			return nil
		}
		return yield(splitPath(path))
	})
	if status, _ := statusOf(err); status == http.StatusUnauthorized {
		if refused := c.ping(ctx, authChallenge); refused != nil {
			return refused // not the catalogue, but the log-in
		}
	}
	return catalogueFailure(op, err)
}

// Tags lists the tags of one repository.
func (c *ociClient) Tags(ctx context.Context, r Repository, yield func(Tag) error) error {
	op := fmt.Sprintf("list tags of %q", r.Path)
	path, err := c.path(op, r.Path)
	if err != nil {
		return err
	}
	l := &listing{op: op, scope: pullScope(path), first: c.v2(path, "tags", "list"), parse: parseTags}
	err = c.walk(ctx, l, func(name string) error {
		if !tagGrammar.MatchString(name) || isCompanionTag(name) {
			return nil
		}
		return yield(Tag{Name: name})
	})
	if status, _ := statusOf(err); status == http.StatusNotFound && l.pages == 0 {
		return nil // catalogues keep repositories that lost their last tag
	}
	return err
}

// path checks a repository path and brings it into the registry's form.
func (c *ociClient) path(op, path string) (string, error) {
	if !validPath(path) {
		return "", &Failure{Kind: KindNotFound, Op: op, Reason: "this is no repository name", Solution: "use letters, digits, dots, dashes and slashes"}
	}
	return c.session.endpoint.repositoryPath(path), nil
}

// Head asks for the digest only. Where the answer leaves it out, the manifest
// is read and hashed.
func (c *ociClient) Head(ctx context.Context, path, ref string) (string, error) {
	op := fmt.Sprintf("ask for the digest of %s", address(path, ref))
	r, err := c.manifestRequest(op, path, ref)
	if err != nil {
		return "", err
	}
	r.method = http.MethodHead
	resp, err := c.session.do(ctx, r)
	if err != nil {
		return "", err
	}
	defer discard(resp)
	digest := resp.Header.Get("Docker-Content-Digest")
	switch {
	case resp.StatusCode == http.StatusOK && validDigest(ref):
		return ref, nil
	case resp.StatusCode == http.StatusOK && validDigest(digest):
		return digest, nil
	case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusMethodNotAllowed:
		m, err := c.manifest(ctx, path, ref)
		if err != nil {
			return "", err
		}
		return m.digest, nil
	}
	return "", c.session.statusFailure(op, resp)
}

// manifestRequest asks for a manifest in all the forms we read.
func (c *ociClient) manifestRequest(op, path, ref string) (request, error) {
	path, err := c.path(op, path)
	if err != nil {
		return request{}, err
	}
	if !validDigest(ref) && !tagGrammar.MatchString(ref) {
		return request{}, &Failure{Kind: KindNotFound, Op: op, Reason: "this is neither a tag nor a digest", Solution: "use a tag, or sha256:<64 hex digits>"}
	}
	return request{
		op:     op,
		url:    c.v2(path, "manifests", ref),
		header: http.Header{"Accept": {manifestAccept}},
		scope:  pullScope(path),
	}, nil
}

// address is an image's name for people.
func address(path, ref string) string {
	if strings.Contains(ref, ":") {
		return path + "@" + ref
	}
	return path + ":" + ref
}

// Blob streams one blob, see Client.
func (c *ociClient) Blob(ctx context.Context, path string, d Descriptor) (io.ReadCloser, error) {
	op := fmt.Sprintf("read blob %s of %q", printable(d.Digest, 140), path)
	full, err := c.path(op, path)
	if err != nil {
		return nil, err
	}
	if !validDigest(d.Digest) || d.Size < 0 {
		return nil, &Failure{Kind: KindUnsupported, Op: op, Reason: "its digest or size is not valid", Solution: "push the image again"}
	}
	if isForeign(d.MediaType) {
		return nil, &Failure{Kind: KindUnsupported, Op: op, Reason: "the layer is kept outside the registry and is not fetched",
			Solution: "push the image with its foreign layers"}
	}
	return newBlob(ctx, c, request{op: op, url: c.v2(full, "blobs", d.Digest), scope: pullScope(full)}, d)
}
