package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	harborAPI      = "/api/v2.0"
	harborPageSize = 100 // one more is refused with 422
)

// harborClient lists by Harbor's API and pulls as everyone does. Harbor's own
// _catalog is for its administrators only.
type harborClient struct {
	*ociClient
}

func newHarbor(c *ociClient) *harborClient { return &harborClient{ociClient: c} }

// Check makes sure that this is a Harbor, that the credentials are right, and
// that projects may be listed. Neither the list of projects nor the token
// service would show a wrong password: both answer 200 to it.
func (h *harborClient) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := h.isHarbor(ctx); err != nil {
		return err
	}
	if err := h.checkPassword(ctx); err != nil {
		return err
	}
	const op = "test the connection: list projects"
	q := url.Values{"page": {"1"}, "page_size": {"1"}, "with_detail": {"false"}}
	_, err := h.get(ctx, op, "/projects", q, nil)
	return catalogueFailure(op, err)
}

// checkPassword asks the one place that refuses a wrong password to users and
// robots alike.
func (h *harborClient) checkPassword(ctx context.Context) error {
	if h.session.auth.basic() == "" {
		return nil
	}
	return h.ping(ctx, authBasic)
}

func (h *harborClient) isHarbor(ctx context.Context) error {
	const op = "test the connection"
	resp, err := h.session.do(ctx, request{op: op, url: h.api("/ping", nil), auth: authNone})
	if err != nil {
		return err
	}
	defer discard(resp)
	body, err := readLimited(resp.Body, 1<<10)
	if err == nil && resp.StatusCode == http.StatusOK && strings.Contains(string(body), "Pong") {
		return nil
	}
	return &Failure{Kind: KindNotRegistry, Op: op, Err: &statusError{status: resp.StatusCode},
		Reason:   fmt.Sprintf("what answers is not a Harbor of version 2 (status %d for %s/ping)", resp.StatusCode, harborAPI),
		Solution: "check the URL, or add it as another type of registry or as Harbor V1"}
}

// api is an address of Harbor's API; path is escaped already.
func (h *harborClient) api(path string, q url.Values) *url.URL {
	u, err := url.Parse(h.session.endpoint.url(harborAPI + path))
	if err != nil { // paths are built from url.PathEscape
		return &url.URL{}
	}
	u.RawQuery = q.Encode()
	return u
}

// get reads one answer of the API and, with into, its JSON. Project names go as
// names even where they look like an id.
func (h *harborClient) get(ctx context.Context, op, path string, q url.Values, into any) (next string, err error) {
	r := request{op: op, url: h.api(path, q), auth: authBasic,
		header: http.Header{"Accept": {"application/json"}, "X-Is-Resource-Name": {"true"}}}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	body, resp, err := h.session.fetch(ctx, r, maxListing)
	if err != nil || into == nil {
		return "", err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return "", notAListing(op, err)
	}
	return nextLink(resp.Header), nil
}

// harborList walks a list of the API by page numbers. Its Link is only asked
// whether there is more: it never ends for some page sizes.
func harborList[T any](ctx context.Context, h *harborClient, op, path string, q url.Values, each func(T) (fresh bool, err error)) error {
	for number := 1; number <= maxPages; number++ {
		q.Set("page", strconv.Itoa(number))
		q.Set("page_size", strconv.Itoa(harborPageSize))
		var items []T
		next, err := h.get(ctx, op, path, q, &items)
		if err != nil {
			return err
		}
		news := false
		for _, item := range items {
			fresh, err := each(item)
			if err != nil {
				return err
			}
			news = news || fresh
		}
		if !news || len(items) < harborPageSize && next == "" {
			return nil
		}
	}
	return &Failure{Kind: KindServer, Op: op, Reason: fmt.Sprintf("the list does not end after %d pages", maxPages),
		Solution: "check the proxy before the registry"}
}

// Repositories lists the repositories of every project. A project that may be
// seen but not read has nothing for this user. With a password that is no longer
// right the list would just be short, so that is tested first.
func (h *harborClient) Repositories(ctx context.Context, yield func(Repository) error) error {
	if err := h.checkPassword(ctx); err != nil {
		return err
	}
	projects, err := h.projects(ctx)
	if err != nil {
		return catalogueFailure("list projects", err)
	}
	for _, project := range projects {
		err := h.repositories(ctx, project, yield)
		switch status, _ := statusOf(err); status {
		case http.StatusForbidden, http.StatusNotFound:
			h.session.options.Logger.WarnContext(ctx, "harbor project is left out", "project", project, "status", status)
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *harborClient) projects(ctx context.Context) ([]string, error) {
	type project struct {
		Name string `json:"name"`
	}
	var names []string
	seen := map[string]bool{}
	q := url.Values{"with_detail": {"false"}}
	err := harborList(ctx, h, "list projects", "/projects", q, func(p project) (bool, error) {
		if seen[p.Name] || !validPath(p.Name) {
			return false, nil
		}
		seen[p.Name] = true
		names = append(names, p.Name)
		return true, nil
	})
	return names, err
}

func (h *harborClient) repositories(ctx context.Context, project string, yield func(Repository) error) error {
	type repository struct {
		Name string `json:"name"` // with the project
	}
	seen := map[string]bool{}
	op := fmt.Sprintf("list repositories of project %q", project)
	path := "/projects/" + url.PathEscape(project) + "/repositories"
	return harborList(ctx, h, op, path, url.Values{}, func(r repository) (bool, error) {
		name, found := strings.CutPrefix(r.Name, project+"/")
		if !found || seen[name] || !validPath(name) {
			return false, nil
		}
		seen[name] = true
		return true, yield(Repository{Namespace: project, Name: name, Path: r.Name})
	})
}

// harborArtifact is one manifest with the tags that point to it.
type harborArtifact struct {
	Digest   string `json:"digest"`
	Type     string `json:"type"`
	Size     int64  `json:"size"`
	PushTime Time   `json:"push_time"`
	Tags     []struct {
		Name     string `json:"name"`
		PushTime Time   `json:"push_time"`
	} `json:"tags"`
	Extra struct {
		Created Time `json:"created"`
	} `json:"extra_attrs"`
}

// Tags lists the tagged artifacts of one repository. Digest and time come with
// the list.
func (h *harborClient) Tags(ctx context.Context, r Repository, yield func(Tag) error) error {
	op := fmt.Sprintf("list artifacts of %q", r.Path)
	repository := splitPath(r.Path)
	if !validPath(r.Path) || repository.Namespace == "" {
		return &Failure{Kind: KindNotFound, Op: op, Reason: "this is no repository of a project", Solution: "synchronise the registry"}
	}
	digests, tags := map[string]bool{}, map[string]bool{}
	q := url.Values{"q": {"tags=*"}, "with_tag": {"true"}, "with_label": {"false"}}
	err := harborList(ctx, h, op, artifactsPath(repository), q, func(a harborArtifact) (bool, error) {
		if digests[a.Digest] {
			return false, nil
		}
		digests[a.Digest] = true
		return true, a.hand(tags, yield)
	})
	if status, _ := statusOf(err); status == http.StatusNotFound {
		return nil // it has gone since it was listed
	}
	return err
}

// artifactsPath encodes the repository's name twice, since the nginx in front
// of Harbor decodes once. Encoded once it would look like an empty registry.
func artifactsPath(r Repository) string {
	return "/projects/" + url.PathEscape(r.Namespace) + "/repositories/" + url.PathEscape(url.PathEscape(r.Name)) + "/artifacts"
}

func (a harborArtifact) hand(seen map[string]bool, yield func(Tag) error) error {
	if !validDigest(a.Digest) || a.Type != TagImage && a.Type != "UNKNOWN" && a.Type != "" {
		return nil
	}
	kind := TagUnknown
	if a.Type == TagImage {
		kind = TagImage
	}
	for _, t := range a.Tags {
		if seen[t.Name] || !tagGrammar.MatchString(t.Name) || isCompanionTag(t.Name) {
			continue
		}
		seen[t.Name] = true
		created := firstTime(a.Extra.Created, t.PushTime, a.PushTime)
		if err := yield(Tag{Name: t.Name, Digest: a.Digest, Size: a.Size, CreatedAt: created, Kind: kind}); err != nil {
			return err
		}
	}
	return nil
}

// firstTime is the first moment that means something: zero and the year 1 are "never".
func firstTime(times ...Time) time.Time {
	for _, t := range times {
		if t.Year() > 1 {
			return t.Time
		}
	}
	return time.Time{}
}
