package registrytest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type repository struct {
	Name      string `json:"name"` // with the project
	artifacts []*artifact
}

type artifact struct {
	Digest   string         `json:"digest"`
	Type     string         `json:"type"`
	Manifest string         `json:"manifest_media_type"`
	Size     int64          `json:"size"`
	PushTime string         `json:"push_time"`
	PullTime string         `json:"pull_time"`
	Tags     []tag          `json:"tags"` // null when empty
	Labels   []string       `json:"labels"`
	Extra    map[string]any `json:"extra_attrs"`
}

type tag struct {
	Name     string `json:"name"`
	PushTime string `json:"push_time"`
}

const pushTime = "2024-06-01T08:00:00.000Z"

// record notes a pushed manifest as Harbor's data base does. Children of an
// index stay without a tag.
func (h *Harbor) record(path, ref, mediaType string, body []byte) {
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(body))
	repo := h.repository(path)
	i := slices.IndexFunc(repo.artifacts, func(a *artifact) bool { return a.Digest == digest })
	if i < 0 {
		repo.artifacts = slices.Insert(repo.artifacts, 0, newArtifact(digest, mediaType, body)) // newest first
		i = 0
	}
	if strings.Contains(ref, ":") {
		return
	}
	for _, a := range repo.artifacts {
		a.Tags = slices.DeleteFunc(a.Tags, func(t tag) bool { return t.Name == ref })
	}
	repo.artifacts[i].Tags = append(repo.artifacts[i].Tags, tag{Name: ref, PushTime: pushTime})
}

func (h *Harbor) repository(path string) *repository {
	for _, r := range h.repos {
		if r.Name == path {
			return r
		}
	}
	r := &repository{Name: path}
	h.repos = append(h.repos, r)
	return r
}

func newArtifact(digest, mediaType string, body []byte) *artifact {
	var m struct {
		Config struct {
			MediaType string `json:"mediaType"`
			Size      int64  `json:"size"`
		} `json:"config"`
		Layers []struct {
			Size int64 `json:"size"`
		} `json:"layers"`
	}
	a := &artifact{Digest: digest, Type: "IMAGE", Manifest: mediaType, PushTime: pushTime, PullTime: "0001-01-01T00:00:00.000Z"}
	if json.Unmarshal(body, &m) != nil {
		a.Type = "UNKNOWN"
	}
	if strings.Contains(m.Config.MediaType, "helm") {
		a.Type = "CHART"
	}
	a.Size = int64(len(body)) + m.Config.Size
	for _, l := range m.Layers {
		a.Size += l.Size
	}
	if m.Config.MediaType != "" {
		a.Extra = map[string]any{"created": Epoch}
	}
	return a
}

// serveAPI takes the path apart as Harbor behind its nginx does: that decodes
// once, and only what is still encoded can hold a slash.
func (h *Harbor) serveAPI(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v2.0/"), "/")
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			harborError(w, http.StatusBadRequest, "BAD_REQUEST", "bad escape")
			return
		}
		parts[i] = decoded
	}
	switch {
	case len(parts) == 1 && parts[0] == "projects":
		h.serveProjects(w, r)
	case len(parts) == 3 && parts[0] == "projects" && parts[2] == "repositories":
		h.serveRepositories(w, r, parts[1])
	case len(parts) == 5 && parts[0] == "projects" && parts[2] == "repositories" && parts[4] == "artifacts":
		h.serveArtifacts(w, r, parts[1], parts[3])
	default:
		harborError(w, http.StatusNotFound, "NOT_FOUND", "path "+r.URL.Path+" was not found")
	}
}

// serveProjects shows the public ones to those with a wrong password.
func (h *Harbor) serveProjects(w http.ResponseWriter, r *http.Request) {
	if h.hidden {
		harborError(w, http.StatusForbidden, "FORBIDDEN", "forbidden")
		return
	}
	visible := []project{}
	for _, p := range h.projects {
		if p.public || h.loggedIn(r) {
			visible = append(visible, p)
		}
	}
	pageOf(w, r, visible)
}

// project finds a project by name or id. All digits are an id unless the
// header says otherwise.
func (h *Harbor) project(w http.ResponseWriter, r *http.Request, nameOrID string) (project, bool) {
	id, err := strconv.Atoi(nameOrID)
	byID := err == nil && r.Header.Get("X-Is-Resource-Name") != "true"
	for _, p := range h.projects {
		if (byID && p.ID == id || !byID && p.Name == nameOrID) && (p.public || h.loggedIn(r)) {
			return p, true
		}
	}
	if !h.loggedIn(r) {
		harborError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized")
	} else {
		harborError(w, http.StatusNotFound, "NOT_FOUND", "project "+nameOrID+" not found")
	}
	return project{}, false
}

func (h *Harbor) serveRepositories(w http.ResponseWriter, r *http.Request, nameOrID string) {
	p, ok := h.project(w, r, nameOrID)
	if !ok {
		return
	}
	repos := []*repository{}
	for _, repo := range h.repos {
		if strings.HasPrefix(repo.Name, p.Name+"/") {
			repos = append(repos, repo)
		}
	}
	pageOf(w, r, repos)
}

func (h *Harbor) serveArtifacts(w http.ResponseWriter, r *http.Request, nameOrID, repo string) {
	p, ok := h.project(w, r, nameOrID)
	if !ok {
		return
	}
	i := slices.IndexFunc(h.repos, func(have *repository) bool { return have.Name == p.Name+"/"+repo })
	if i < 0 {
		harborError(w, http.StatusNotFound, "NOT_FOUND", "repository "+repo+" not found")
		return
	}
	artifacts := []*artifact{}
	for _, a := range h.repos[i].artifacts {
		if r.URL.Query().Get("q") != "tags=*" || len(a.Tags) > 0 {
			artifacts = append(artifacts, a)
		}
	}
	pageOf(w, r, artifacts)
}
