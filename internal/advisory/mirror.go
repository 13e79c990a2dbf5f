package advisory

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// maxListBytes bounds ecosystems.txt and the remembered ETags.
const maxListBytes = 1 << 20

// mirror is a server with the layout of the public OSV export.
type mirror struct {
	base  *url.URL
	o     Options
	etags map[string]string // address of an archive, without password → ETag of what the snapshot in force holds of it
}

func newMirror(address string, o Options) (*mirror, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("advisory: the mirror's address cannot be read: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("advisory: the mirror's address %q must begin with http:// or https://", address)
	}
	return &mirror{base: u, o: o, etags: map[string]string{}}, nil
}

// checkName refuses ecosystem names that are no single path segment.
func checkName(ecosystem string) error {
	if ecosystem == "" || ecosystem == "." || ecosystem == ".." || !keyable(ecosystem, maxIDBytes) {
		return fmt.Errorf("advisory: %q is not the name of an ecosystem", ecosystem)
	}
	return nil
}

// address joins path segments to the base; names like "Rocky Linux" are
// percent-encoded.
func (m *mirror) address(segments ...string) string {
	u := m.base
	for _, s := range segments {
		u = u.JoinPath(url.PathEscape(s))
	}
	return u.String()
}

// get asks for an address; the caller closes the body. Any answer but 200 and
// 304 is an error.
func (m *mirror) get(ctx context.Context, address, etag string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("advisory: %w", err)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := m.o.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("advisory: the mirror cannot be reached: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNotModified:
		return resp, nil
	case http.StatusNotFound:
		err = fmt.Errorf("advisory: the mirror has no %s; check the address and the ecosystem's name", redactURL(address))
	default:
		err = fmt.Errorf("advisory: the mirror answered %s for %s", resp.Status, redactURL(address))
	}
	resp.Body.Close()
	return nil, err
}

// redactURL leaves a password out of an address that goes into a message.
func redactURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	return u.Redacted()
}

// ecosystems reads the mirror's list. Subdirectories of a release, such as
// "Debian:12", are parts of their ecosystem's archive and left out.
func (m *mirror) ecosystems(ctx context.Context) ([]string, error) {
	resp, err := m.get(ctx, m.address("ecosystems.txt"), "")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxListBytes))
	if err != nil {
		return nil, fmt.Errorf("advisory: reading the mirror's list of ecosystems: %w", err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); name != "" && !strings.Contains(name, ":") {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("advisory: the mirror's list of ecosystems is empty; name the ecosystems to pull")
	}
	return list, nil
}

// fetch streams an archive into a temporary file in dir. It returns a nil
// source if the archive has not changed. The caller removes the file.
func (m *mirror) fetch(ctx context.Context, dir, ecosystem string) (*source, string, error) {
	if err := checkName(ecosystem); err != nil {
		return nil, "", err
	}
	address := m.address(ecosystem, "all.zip")
	name := redactURL(address)
	resp, err := m.get(ctx, address, m.etags[name])
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return nil, m.etags[name], nil
	}
	limit := m.o.Limits.Archive
	if resp.ContentLength > limit {
		return nil, "", fmt.Errorf("advisory: %s has %d bytes, more than the limit of %d", name, resp.ContentLength, limit)
	}
	tmp, err := os.CreateTemp(dir, "download-*.zip")
	if err != nil {
		return nil, "", fmt.Errorf("advisory: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(tmp, sum), io.LimitReader(resp.Body, limit+1))
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil && n > limit {
		err = fmt.Errorf("more than the limit of %d bytes", limit)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return nil, "", fmt.Errorf("advisory: fetching %s: %w", name, err)
	}
	key := fmt.Sprintf("%s\x00%x", name, sum.Sum(nil))
	return &source{name: name, key: key, path: tmp.Name(), size: n, zip: true}, resp.Header.Get("ETag"), nil
}

// loadETags reads what earlier pulls remembered. It is worth nothing without
// the snapshot those pulls made.
func (m *mirror) loadETags(dir, base string) error {
	data, err := os.ReadFile(filepath.Join(dir, mirrorFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && (base == "" || len(data) > maxListBytes) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("advisory: reading the remembered ETags: %w", err)
	}
	if err := json.Unmarshal(data, &m.etags); err != nil || m.etags == nil {
		m.etags = map[string]string{} // a damaged memory costs one more download
	}
	return nil
}

func (m *mirror) saveETags(dir string) error {
	text, err := json.MarshalIndent(m.etags, "", "  ")
	if err == nil {
		err = writeFileAtomic(dir, mirrorFile, text)
	}
	if err != nil {
		return fmt.Errorf("advisory: remembering the mirror's ETags: %w", err)
	}
	return nil
}

// pull reads the ecosystems one after the other, publishes, and only then
// remembers the ETags.
func (s *session) pull(ctx context.Context, m *mirror, ecosystems []string) (Report, error) {
	if err := m.loadETags(s.dir, s.state.Base); err != nil {
		return s.state.Report, err
	}
	s.sources = len(ecosystems)
	fetched := map[string]string{}
	s.state.Report.Untouched = nil
	for _, eco := range ecosystems {
		etag, err := s.pullOne(ctx, m, eco)
		if err != nil {
			return s.state.Report, err
		}
		if etag != "" {
			fetched[redactURL(m.address(eco, "all.zip"))] = etag
		}
	}
	report, err := s.publish(ctx, redactURL(m.base.String()))
	if err != nil {
		return report, err
	}
	for address, etag := range fetched {
		m.etags[address] = etag
	}
	return report, m.saveETags(s.dir)
}

func (s *session) pullOne(ctx context.Context, m *mirror, ecosystem string) (etag string, err error) {
	src, etag, err := m.fetch(ctx, s.dir, ecosystem)
	if err != nil {
		return "", err
	}
	if src == nil {
		s.state.Report.Untouched = append(s.state.Report.Untouched, ecosystem)
		s.done++
		return etag, nil
	}
	defer os.Remove(src.path) //nolint:errcheck // a leftover is removed by the next import
	return etag, s.read(ctx, *src)
}
