package cloudapi

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Role is what an access key may do. A higher role may do all a lower one may.
type Role int

// The roles, least first.
const (
	RoleReadOnly Role = iota
	RoleOperator
	RoleAdministrator
)

// String is the role's name in sentences.
func (r Role) String() string {
	switch r {
	case RoleReadOnly:
		return "read-only"
	case RoleOperator:
		return "operator"
	case RoleAdministrator:
		return "administrator"
	}
	return fmt.Sprintf("role %d", int(r))
}

// Caller is who signed the request that is being served.
type Caller struct {
	AccountID int64
	SecretID  string
	Role      Role
	RequestID string
	Language  string // zh-CN, en-US or empty
}

type callerKey struct{}

// CallerFrom is the caller of the request that ctx belongs to.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// Action is the declaration of one action beside its request and response.
type Action struct {
	Name   string
	Doc    string
	Role   Role     // the least role that may call it
	Errors []string // codes the action gives by itself
}

// API is one version of one service: a set of actions. Actions are registered
// while wiring; afterwards it is only read.
type API struct {
	service string
	version string
	routes  map[string]*route
	offline map[string]bool
}

// route is a registered action: its models and the function behind it.
type route struct {
	action Action
	in     *shape
	out    *shape
	call   func(ctx context.Context, caller Caller, params node) (reflect.Value, error)
}

// NewAPI begins an API without actions.
func NewAPI(service, version string) *API {
	return &API{service: service, version: version, routes: map[string]*route{}, offline: map[string]bool{}}
}

// Service is the name of the service, as it stands in the credential scope.
func (api *API) Service() string { return api.service }

// Version is the version of the service.
func (api *API) Version() string { return api.version }

// Handle registers fn as the action a. It reads the declared models off the tags
// of Req and Resp and panics on a bad declaration. An error of fn that is or wraps
// an *Error is answered as it is; any other is logged and answered InternalError.
func Handle[Req, Resp any](api *API, a Action, fn func(ctx context.Context, caller Caller, req *Req) (*Resp, error)) {
	in := declare(reflect.TypeFor[Req](), sideRequest)
	out := declare(reflect.TypeFor[Resp](), sideResponse)
	api.add(&route{action: a, in: in, out: out, call: func(ctx context.Context, caller Caller, params node) (reflect.Value, error) {
		req := new(Req)
		if fault := decode(in, params, reflect.ValueOf(req).Elem()); fault != nil {
			return reflect.Value{}, fault
		}
		resp, err := fn(ctx, caller, req)
		if err != nil {
			return reflect.Value{}, err
		}
		if resp == nil {
			resp = new(Resp)
		}
		return reflect.ValueOf(resp).Elem(), nil
	}})
}

func (api *API) add(r *route) {
	if r.action.Name == "" {
		panic("cloudapi: an action without a name")
	}
	if api.routes[r.action.Name] != nil {
		panic("cloudapi: the action " + r.action.Name + " is registered twice")
	}
	api.routes[r.action.Name] = r
}

// Offline names actions that the service knows and this server will never
// offer: they are answered ActionOffline instead of InvalidAction.
func (api *API) Offline(names ...string) {
	for _, name := range names {
		api.offline[name] = true
	}
}

// Actions describes the registered actions, sorted by name.
func (api *API) Actions() []ActionModel {
	models := make([]ActionModel, 0, len(api.routes))
	for _, name := range slices.Sorted(maps.Keys(api.routes)) {
		models = append(models, api.routes[name].model())
	}
	return models
}

// find is the action of that name in that version.
func (api *API) find(version, name string) (*route, *Error) {
	if version != api.version {
		return nil, NewError(codeNoSuchVersion,
			"The version `%s` does not exist; use `%s`.", "版本`%s`不存在，请使用`%s`。", Shorten(version), api.version)
	}
	if r := api.routes[name]; r != nil {
		return r, nil
	}
	if api.offline[name] {
		return nil, NewError(codeActionOffline,
			"The action `%s` is not offered by this server.", "接口`%s`在此服务中已下线。", name)
	}
	return nil, NewError(codeInvalidAction,
		"The action `%s` does not exist in version `%s`.", "接口`%s`在版本`%s`中不存在。", Shorten(name), version)
}
