package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

const (
	// pageSize is the largest that no registry known refuses or clips in silence.
	pageSize = 1000
	maxPages = 10_000
)

// listing is one walk over a paged list of names.
type listing struct {
	op    string
	scope string
	first *url.URL
	parse func(op string, body []byte) ([]string, error)

	pages   int // pages read
	asked   int // the page size asked for, 0 if left to the registry
	names   map[string]bool
	visited map[string]bool
}

// walk hands each name to yield once. It ends where there is no further page,
// where a page brings nothing new and where a page would be read again.
func (c *ociClient) walk(ctx context.Context, l *listing, yield func(string) error) error {
	l.names, l.visited = map[string]bool{}, map[string]bool{}
	for at := l.start(); at != nil; {
		if l.pages == maxPages {
			return &Failure{Kind: KindServer, Op: l.op, Reason: fmt.Sprintf("the list does not end after %d pages", maxPages),
				Solution: "check the proxy before the registry"}
		}
		page, err := c.page(ctx, l, at)
		if err != nil {
			return err
		}
		l.pages++
		fresh, err := l.hand(page.names, yield)
		if err != nil {
			return err
		}
		if fresh == 0 {
			return nil
		}
		if at, err = l.next(page); err != nil {
			return err
		}
	}
	return nil
}

// page is one answer.
type page struct {
	at    *url.URL
	names []string
	link  string
}

func (l *listing) start() *url.URL {
	l.asked = pageSize
	u := withQuery(l.first, url.Values{"n": {strconv.Itoa(pageSize)}})
	l.visited[u.String()] = true
	return u
}

// page reads one page, with the detours that registries in the wild need: no
// page size where ours is refused, and our own path where the Link's leads
// nowhere.
func (c *ociClient) page(ctx context.Context, l *listing, at *url.URL) (*page, error) {
	got, err := c.readPage(ctx, l, at)
	status, code := statusOf(err)
	switch {
	case l.pages == 0 && l.asked > 0 && isSizeRefused(status, code):
		l.asked = 0
		return c.readPage(ctx, l, l.first)
	case l.pages > 0 && status == http.StatusNotFound && at.Path != l.first.Path:
		own := *l.first
		own.RawQuery = at.RawQuery
		return c.readPage(ctx, l, &own)
	case l.pages > 0 && status/100 == 4 && l.guessed(at):
		return &page{at: at}, nil
	}
	return got, err
}

// isSizeRefused knows how registries refuse a page size.
func isSizeRefused(status int, code string) bool {
	return status == http.StatusBadRequest || status == http.StatusMethodNotAllowed && code == "UNSUPPORTED"
}

func (c *ociClient) readPage(ctx context.Context, l *listing, at *url.URL) (*page, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	body, resp, err := c.session.fetch(ctx, request{op: l.op, url: at, scope: l.scope}, maxListing)
	if err != nil {
		return nil, err
	}
	names, err := l.parse(l.op, body)
	if err != nil {
		return nil, err
	}
	return &page{at: at, names: names, link: nextLink(resp.Header)}, nil
}

func (l *listing) hand(names []string, yield func(string) error) (fresh int, err error) {
	for _, name := range names {
		if l.names[name] {
			continue
		}
		l.names[name] = true
		fresh++
		if err := yield(name); err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

// next is the address of the following page, nil at the end. One that cannot be
// read is no end: what lies behind it would be taken for gone.
func (l *listing) next(p *page) (*url.URL, error) {
	var at *url.URL
	if p.link != "" {
		var ok bool
		if at, ok = followLink(p.at, p.link); !ok {
			return nil, &Failure{Kind: KindServer, Op: l.op, Reason: "the address of the next page cannot be read",
				Solution: "check the registry and the proxy before it"}
		}
	} else if l.asked > 0 && len(p.names) == l.asked {
		at = l.guess(p.names[len(p.names)-1])
	}
	if at == nil || l.visited[at.String()] {
		return nil, nil
	}
	l.visited[at.String()] = true
	return at, nil
}

// guess asks for what follows a full page whose Link is missing.
func (l *listing) guess(last string) *url.URL {
	return withQuery(l.first, url.Values{"n": {strconv.Itoa(l.asked)}, "last": {last}})
}

// guessed tells whether an address is our own guess and not a Link's.
func (l *listing) guessed(at *url.URL) bool {
	return at.String() == l.guess(at.Query().Get("last")).String()
}

func withQuery(u *url.URL, q url.Values) *url.URL {
	c := *u
	c.RawQuery = q.Encode()
	return &c
}

func parseCatalogue(op string, body []byte) ([]string, error) {
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, notAListing(op, err)
	}
	list, there := answer["repositories"]
	if !there { // a server that answers everything with some JSON is no registry
		return nil, notAListing(op, errors.New("it has no repositories"))
	}
	var names []string // null where there is none
	if err := json.Unmarshal(list, &names); err != nil {
		return nil, notAListing(op, err)
	}
	return names, nil
}

func parseTags(op string, body []byte) ([]string, error) {
	var answer struct {
		Tags []string `json:"tags"` // null where a repository has lost its last
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, notAListing(op, err)
	}
	return answer.Tags, nil
}

func notAListing(op string, err error) error {
	return &Failure{Kind: KindNotRegistry, Op: op, Reason: "the answer is not a list as registries give it",
		Solution: "check the URL and the proxy before the registry", Err: err}
}

// companionTag matches the tags that cosign and the referrers fallback keep
// beside images.
var companionTag = regexp.MustCompile(`^sha(256|512)-[0-9a-f]{64,128}(\.[a-z]+)?$`)

func isCompanionTag(name string) bool { return companionTag.MatchString(name) }
