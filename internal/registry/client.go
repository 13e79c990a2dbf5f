package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"
)

// The types of registries that can be added. TypeOCI is our own word for any
// registry that speaks the distribution protocol.
const (
	TypeHarbor   = "harbor"
	TypeQuay     = "quay"
	TypeJFrog    = "jfrog"
	TypeAWS      = "aws"
	TypeAzure    = "azure"
	TypeOtherTCR = "other-tcr"
	TypeOCI      = "oci"
)

// Types lists the accepted registry types.
func Types() []string {
	return []string{TypeHarbor, TypeQuay, TypeJFrog, TypeAWS, TypeAzure, TypeOtherTCR, TypeOCI}
}

// Target is a registry as its operator describes it.
type Target struct {
	Type, URL          string
	Username, Password string
	// Insecure skips the check of the certificates of this registry and of what
	// it redirects to. A token service on another host is always checked, since
	// it is sent the credentials.
	Insecure bool
	// SpeedLimit bounds the bytes read from blobs, in MB (1,000,000 bytes) a
	// second; 0 is no limit.
	SpeedLimit int64
	// Version is "V1" or "V2" for Harbor 1.x and 2.x; V1 is listed by the
	// distribution protocol.
	Version    string
	InstanceID string
	// RootCAs replaces the system's trusted certificates; build it with CertPool
	// to add to them. Nil: the system's.
	RootCAs *x509.CertPool
}

// CertPool returns the system's trusted certificates and those in pem.
func CertPool(pem []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("registry: no certificate found in the PEM text: give the CA certificate as a block that begins with BEGIN CERTIFICATE")
	}
	return pool, nil
}

// Limiter is where a governor slows a client down.
type Limiter interface {
	// Acquire waits for leave to read n bytes of a blob, or, with n = 0, for
	// leave to send one request.
	Acquire(ctx context.Context, n int) error
}

// Options is what all clients of a process share. The zero value works.
type Options struct {
	// AllowPrivate lets clients reach loopback, private and link-local
	// addresses. The addresses of cloud metadata services (169.254.0.0/16,
	// fd00:ec2::254 and others like them) are refused in any case. Without
	// AllowPrivate the proxy settings of the environment are ignored, because
	// behind a proxy the address cannot be judged.
	AllowPrivate bool
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Random returns numbers in [0,1) for the jitter of retries; nil is math/rand/v2.
	Random func() float64
	// UserAgent names us to registries; some refuse requests without one.
	UserAgent string
	// Logger receives what is odd but no failure. Nil discards it.
	Logger *slog.Logger
	// Sleep waits for d or until ctx is done; nil uses a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Limiter is asked before each request and each piece of a blob; may be nil.
	Limiter Limiter
	// OnThrottle is told when a registry asks for silence (429 or 503 with
	// Retry-After) and until when; may be nil.
	OnThrottle func(until time.Time)
}

// Repository is a named collection of images. Path is Namespace and Name joined,
// and what all other methods of a Client take.
type Repository struct {
	Namespace, Name, Path string
}

// Kinds of a Tag, as far as a listing tells. Only Image can be sure.
const (
	TagUnknown = ""
	TagImage   = "IMAGE"
)

// Tag is one entry of a repository. Signatures and other artefacts that a
// listing already shows to be no image are left out.
type Tag struct {
	Name   string
	Digest string // empty if the listing does not say
	Size   int64  // compressed bytes; 0 if the listing does not say
	// CreatedAt is when the image was built, or pushed where only that is known.
	CreatedAt time.Time
	Kind      string
}

// Client reads one registry. All methods may be called concurrently, and return
// a *Failure unless the context ended or a callback failed.
type Client interface {
	// Check tests the connection: network, certificate, protocol, credentials
	// and the right to list.
	Check(ctx context.Context) error
	// Repositories hands every repository to yield once. An error of yield ends
	// the listing and is returned.
	Repositories(ctx context.Context, yield func(Repository) error) error
	// Tags hands every tag of r to yield once. A repository that is empty or has
	// gone has no tags.
	Tags(ctx context.Context, r Repository, yield func(Tag) error) error
	// Head returns the digest ref points to, without counting as a pull where
	// the registry allows that.
	Head(ctx context.Context, path, ref string) (digest string, err error)
	// Image reads manifest and config and verifies both by digest. Of several
	// platforms it takes linux/amd64, else the first. ErrNotImage is returned for
	// artefacts that are no images, ErrSchema1 for the manifests of old.
	Image(ctx context.Context, path, ref string) (*Image, error)
	// Blob streams a blob. Size and digest of all bytes are verified: only after
	// io.EOF were they the right ones. A connection that breaks is resumed.
	// Layers kept outside the registry are not fetched.
	Blob(ctx context.Context, path string, d Descriptor) (io.ReadCloser, error)
	// Host is what stands before the path in an image's address, "host:port" and
	// the prefix, if there is one.
	Host() string
}

// ErrNotImage marks artefacts that hold no file system: charts, signatures,
// SBOMs, and indexes without an image in them.
var ErrNotImage = errors.New("not a container image")

// ErrSchema1 marks manifests of Docker's schema 1, which name no verifiable layers.
var ErrSchema1 = errors.New("docker manifest schema 1 is not supported: push the image again with a current client")

// Open returns the client of a target. It opens no connection.
func Open(t Target, o Options) (Client, error) {
	endpoint, err := ParseURL(t.URL)
	if err != nil {
		return nil, err
	}
	if t.SpeedLimit < 0 {
		return nil, fmt.Errorf("registry: speed limit %d is negative: give MB a second, or 0 for none", t.SpeedLimit)
	}
	c := newOCI(endpoint, t, o.withDefaults())
	switch t.Type {
	case TypeHarbor:
		if strings.EqualFold(t.Version, "V1") {
			return c, nil
		}
		return newHarbor(c), nil
	case TypeOCI, TypeQuay, TypeJFrog, TypeAWS, TypeAzure, TypeOtherTCR:
		return c, nil
	}
	return nil, fmt.Errorf("registry: type %q is unknown: use one of %s", t.Type, strings.Join(Types(), ", "))
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.UserAgent == "" {
		o.UserAgent = "dogwatch"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
