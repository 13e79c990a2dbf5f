package registrytest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Credentials FakeHarbor knows.
const (
	HarborUser     = "robot$scan"
	HarborPassword = "harbor-secret"
)

// Harbor is a double of Harbor 2.x: its listings, its log-in, and a registry
// under /v2/. It is a Server to push to.
type Harbor struct {
	*Server
	store http.Handler

	mu       sync.Mutex
	projects []project
	repos    []*repository // in the order of their first push
	tokens   map[string]grant
	cookies  int
	hidden   bool // projects may not be listed
	password string
}

type project struct {
	ID     int    `json:"project_id"`
	Name   string `json:"name"`
	public bool
}

// grant is what a token is good for.
type grant struct {
	known bool
	path  string
}

// FakeHarbor starts a double without projects.
func FakeHarbor(t testing.TB) *Harbor {
	t.Helper()
	h := &Harbor{
		store:    registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		tokens:   map[string]grant{},
		password: HarborPassword,
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.Server = &Server{URL: server.URL, Host: strings.TrimPrefix(server.URL, "http://"), Username: HarborUser, Password: HarborPassword}
	return h
}

// AddProject makes a project. Ids count from 1.
func (h *Harbor) AddProject(name string, public bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.projects = append(h.projects, project{ID: len(h.projects) + 1, Name: name, public: public})
}

// HideProjects takes the right to list projects from everyone.
func (h *Harbor) HideProjects() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hidden = true
}

// ChangePassword makes the known password wrong from now on.
func (h *Harbor) ChangePassword(password string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.password = password
}

// Cookies counts the requests that brought a cookie back.
func (h *Harbor) Cookies() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cookies
}

// ServeHTTP sends requests to the parts of the double.
func (h *Harbor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(r.Cookies()) > 0 {
		h.cookies++
	}
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: "1"})
	switch {
	case r.URL.Path == "/api/v2.0/ping":
		fmt.Fprint(w, "Pong")
	case strings.HasPrefix(r.URL.Path, "/api/v2.0/"):
		h.serveAPI(w, r)
	case r.URL.Path == "/service/token":
		h.serveToken(w, r)
	case strings.HasPrefix(r.URL.Path, "/v2/"):
		h.serveV2(w, r)
	default:
		http.NotFound(w, r)
	}
}

// loggedIn tells whether the request holds right credentials.
func (h *Harbor) loggedIn(r *http.Request) bool {
	name, password, ok := r.BasicAuth()
	return ok && name == HarborUser && password == h.password
}

// serveToken answers 200 to everyone: a wrong password gets a token without rights.
func (h *Harbor) serveToken(w http.ResponseWriter, r *http.Request) {
	token := "token-" + strconv.Itoa(len(h.tokens)+1)
	g := grant{known: h.loggedIn(r)}
	if path, ok := strings.CutPrefix(r.URL.Query().Get("scope"), "repository:"); ok && g.known {
		g.path = path[:max(strings.LastIndexByte(path, ':'), 0)]
	}
	h.tokens[token] = g
	writeJSON(w, http.StatusOK, map[string]any{"token": token, "access_token": token, "expires_in": 1800})
}

func (h *Harbor) serveV2(w http.ResponseWriter, r *http.Request) {
	path, verb := splitV2(r.URL.Path)
	if !h.mayUse(r, path) {
		h.challenge(w, r, path)
		return
	}
	recorder := &statusWriter{ResponseWriter: w}
	var body []byte
	if r.Method == http.MethodPut && verb == "manifests" {
		body, _ = io.ReadAll(r.Body) // what can't be read is refused below
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	h.store.ServeHTTP(recorder, r)
	if body != nil && recorder.status == http.StatusCreated {
		h.record(path, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], r.Header.Get("Content-Type"), body)
	}
}

// splitV2 finds repository and verb in /v2/<path>/<verb>/...
func splitV2(urlPath string) (path, verb string) {
	rest := strings.TrimPrefix(urlPath, "/v2/")
	for _, verb := range []string{"manifests", "blobs", "tags"} {
		if path, _, found := strings.Cut(rest, "/"+verb+"/"); found {
			return path, verb
		}
	}
	return "", ""
}

// mayUse knows that the catalogue takes a password but no token.
func (h *Harbor) mayUse(r *http.Request, path string) bool {
	if h.loggedIn(r) {
		return true
	}
	g := h.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	return g.known && g.path == path && !strings.HasSuffix(r.URL.Path, "_catalog")
}

func (h *Harbor) challenge(w http.ResponseWriter, r *http.Request, path string) {
	realm := "http://" + r.Host + "/service/token"
	value := fmt.Sprintf("Bearer realm=%q,service=\"harbor-registry\"", realm)
	if path != "" {
		value += fmt.Sprintf(",scope=\"repository:%s:pull\"", path)
	}
	if _, _, wrong := r.BasicAuth(); wrong || strings.HasSuffix(r.URL.Path, "_catalog") {
		value = `Basic realm="harbor"`
	}
	w.Header().Set("WWW-Authenticate", value)
	harborError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized to access repository")
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func harborError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

// pageOf cuts a page out of a list and writes it with Harbor's headers.
func pageOf[T any](w http.ResponseWriter, r *http.Request, all []T) {
	q := r.URL.Query()
	number, size := intOr(q.Get("page"), 1), intOr(q.Get("page_size"), 10)
	if size > 100 || size < -1 || number < 1 {
		harborError(w, http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY", "page_size in query should be less than or equal to 100")
		return
	}
	if size <= 0 {
		size = max(len(all), 1)
	}
	from := min((number-1)*size, len(all))
	page := all[from:min(from+size, len(all))]
	var links []string
	if number > 1 {
		links = append(links, pageLink(r.URL, number-1, "prev"))
	}
	if from+size < len(all) {
		links = append(links, pageLink(r.URL, number+1, "next"))
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, " , "))
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	writeJSON(w, http.StatusOK, append([]T{}, page...))
}

func pageLink(u *url.URL, number int, rel string) string {
	q := u.Query()
	q.Set("page", strconv.Itoa(number))
	return fmt.Sprintf("<%s?%s>; rel=%q", u.EscapedPath(), q.Encode(), rel)
}

func intOr(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}
