package registry

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Docker Hub is addressed by one name and served by another.
const (
	hubName = "docker.io"
	hubHost = "registry-1.docker.io"
)

// Endpoint is where a registry is reached.
type Endpoint struct {
	Scheme string // "https" or "http"
	Host   string // host[:port], lower case, without the scheme's own port
	Prefix string // path before /v2/, without slashes at its ends; mostly empty
}

var (
	hostName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$`)
	pathPart   = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
	tagGrammar = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// ParseURL reads what people type as the URL of a registry: host, host:port,
// https://host, https://host/v2 or https://host/some/prefix. Without a scheme it
// is https, but http for localhost and loopback addresses. Credentials, queries
// and fragments are refused.
func ParseURL(s string) (Endpoint, error) {
	text := strings.TrimSpace(s)
	scheme, rest, typed := strings.Cut(text, "://")
	if !typed {
		scheme, rest = "", text
	}
	scheme = strings.ToLower(scheme)
	if typed && scheme != "https" && scheme != "http" {
		return Endpoint{}, fmt.Errorf("registry: URL scheme %q is not supported: use https:// or http://", scheme)
	}
	authority, path, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "@") {
		return Endpoint{}, errors.New("registry: the URL holds an @: give user and password in their own fields")
	}
	host, port, err := splitAuthority(authority)
	if err != nil {
		return Endpoint{}, err
	}
	if scheme == "" {
		scheme = defaultScheme(host)
	}
	prefix, err := cleanPrefix(path)
	if err != nil {
		return Endpoint{}, err
	}
	return normalEndpoint(scheme, host, port, prefix), nil
}

func normalEndpoint(scheme, host, port, prefix string) Endpoint {
	if port == defaultPort(scheme) {
		port = ""
	}
	if port == "" && (host == hubName || host == "index."+hubName || host == "www."+hubName) {
		host = hubHost
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return Endpoint{Scheme: scheme, Host: host, Prefix: prefix}
}

// splitAuthority takes host[:port] apart and checks both. IPv6 comes in brackets.
func splitAuthority(authority string) (host, port string, err error) {
	host = strings.ToLower(authority)
	if rest, ok := strings.CutPrefix(host, "["); ok {
		inner, after, closed := strings.Cut(rest, "]")
		addr, parseErr := netip.ParseAddr(inner)
		if !closed || parseErr != nil || !addr.Is6() || addr.Zone() != "" {
			return "", "", fmt.Errorf("registry: %q is no IPv6 address with port: write [2001:db8::1]:5000", authority)
		}
		host, port = addr.String(), strings.TrimPrefix(after, ":")
		if after != "" && (after[0] != ':' || port == "") {
			return "", "", fmt.Errorf("registry: %q has no proper port: write host:port", authority)
		}
	} else {
		var found bool
		host, port, found = strings.Cut(host, ":")
		if found && port == "" {
			return "", "", fmt.Errorf("registry: %q has no proper port: write host:port", authority)
		}
		if len(host) > 253 || !hostName.MatchString(host) {
			return "", "", fmt.Errorf("registry: %q is no host name: write registry.example.org or registry.example.org:5000", authority)
		}
	}
	if port == "" {
		return host, "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", "", fmt.Errorf("registry: port %q is not a number from 1 to 65535", port)
	}
	return host, strconv.FormatUint(n, 10), nil
}

// cleanPrefix drops what browsers and other tools leave in a URL: slashes at the
// ends and the protocol's own v2.
func cleanPrefix(path string) (string, error) {
	path = strings.Trim(path, "/")
	for path == "v2" || strings.HasSuffix(path, "/v2") {
		path = strings.TrimSuffix(strings.TrimSuffix(path, "v2"), "/")
	}
	if path == "" {
		return "", nil
	}
	for part := range strings.SplitSeq(path, "/") {
		if !pathPart.MatchString(part) {
			return "", fmt.Errorf("registry: path %q in the URL is not usable: give the address up to the part before /v2/", path)
		}
	}
	return path, nil
}

func defaultScheme(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return "http"
	}
	if host == "localhost" {
		return "http"
	}
	return "https"
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// String is the endpoint as a URL.
func (e Endpoint) String() string {
	s := e.Scheme + "://" + e.Host
	if e.Prefix != "" {
		s += "/" + e.Prefix
	}
	return s
}

// Address is what stands before the path of an image: host, port and prefix.
func (e Endpoint) Address() string {
	host := e.Host
	if e.isHub() {
		host = hubName
	}
	if e.Prefix != "" {
		host += "/" + e.Prefix
	}
	return host
}

func (e Endpoint) isHub() bool { return e.Host == hubHost }

// repositoryPath is the path as the registry wants it: Docker Hub keeps names
// without a namespace under library/.
func (e Endpoint) repositoryPath(path string) string {
	if e.isHub() && !strings.Contains(path, "/") {
		return "library/" + path
	}
	return path
}

// url builds an address below the endpoint; path is already escaped.
func (e Endpoint) url(path string) string { return e.String() + path }

// hostname is the host without port and brackets.
func (e Endpoint) hostname() string { return hostnameOf(&url.URL{Host: e.Host}) }

func hostnameOf(u *url.URL) string { return strings.ToLower(u.Hostname()) }

// sameOrigin compares scheme, host and port, as Go's own redirect rules do not:
// they keep credentials for other ports and for subdomains.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && origin(a) == origin(b)
}

func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(hostnameOf(u), port)
}

// validPath tells whether a repository path can be put into a URL as it is.
// It is wider than the grammar of the specification, since products are too.
func validPath(path string) bool {
	if path == "" || len(path) > 512 {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if !pathPart.MatchString(part) {
			return false
		}
	}
	return true
}

// splitPath takes the namespace off a path. A path of one component has none.
func splitPath(path string) Repository {
	namespace, name, found := strings.Cut(path, "/")
	if !found {
		return Repository{Name: path, Path: path}
	}
	return Repository{Namespace: namespace, Name: name, Path: path}
}
