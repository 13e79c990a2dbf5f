package tcss

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

// mask stands for a secret that is stored.
const mask = "********"

// checkLimit bounds a connection test; callers wait for its result, and the
// official clients give up after 60 seconds.
const checkLimit = 30 * time.Second

// registryErrors are the codes all actions on one registry list.
func registryErrors() []string {
	return []string{codeAuthFailure, codeFailed, codeNotCorrect, codeInternal, codeInvalid,
		codeInvalidFormat, codeInvalidMissing, codeInvalidValue, codeNotFound}
}

func (a *actions) registerRegistries(api *cloudapi.API) {
	cloudapi.Handle(api, cloudapi.Action{
		Name: "CheckRepeatAssetImageRegistry", Errors: registryErrors(),
		Doc: "Tells whether a registry name is taken.",
	}, a.checkRegistry)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "AddAssetImageRegistryRegistryDetail", Role: cloudapi.RoleOperator, Errors: registryErrors(),
		Doc: "Adds a registry: tests the connection, stores the registry and starts its first synchronisation.",
	}, a.addRegistry)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "UpdateAssetImageRegistryRegistryDetail", Role: cloudapi.RoleOperator, Errors: registryErrors(),
		Doc: "Changes a registry after testing the connection. Optional parameters left out keep their values; so does an empty or masked password.",
	}, a.updateRegistry)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "RemoveAssetImageRegistryRegistryDetail", Role: cloudapi.RoleAdministrator, Errors: registryErrors(),
		Doc: "Removes a registry with its images and their results, and stops what runs on it.",
	}, a.removeRegistry)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryRegistryDetail", Errors: registryErrors(),
		Doc: "Shows one registry.",
	}, a.describeRegistry)
	cloudapi.Handle(api, cloudapi.Action{
		Name: "DescribeAssetImageRegistryRegistryList", Errors: []string{codeInvalid, codeNotFound},
		Doc: "Lists the registries, the newest first. Sorts by InsertTime.",
	}, a.listRegistries)
}

func (a *actions) checkRegistry(ctx context.Context, caller cloudapi.Caller, req *checkRegistryRequest) (*checkRegistryAnswer, error) {
	taken, err := a.registryNamed(ctx, caller.AccountID, req.Name)
	return &checkRegistryAnswer{IsRepeat: taken != nil}, err
}

// registryNamed is the account's registry of that name, nil if there is none.
func (a *actions) registryNamed(ctx context.Context, accountID int64, name string) (*store.Registry, error) {
	row, err := a.Store.RegistryByName(ctx, accountID, name)
	if err != nil {
		return nil, notFoundAs(err, nil, "looking for a registry by name")
	}
	return row, nil
}

func (a *actions) addRegistry(ctx context.Context, caller cloudapi.Caller, req *addRegistryRequest) (*registrySaved, error) {
	row := &store.Registry{AccountID: caller.AccountID, CreatedAt: store.At(a.Clock.Now()), Region: "default"}
	if err := req.fill(row); err != nil {
		return nil, err
	}
	if err := webhookURL(value(req.WebhookUrl)); err != nil {
		return nil, err
	}
	row.WebhookURL = value(req.WebhookUrl)
	taken, err := a.registryNamed(ctx, caller.AccountID, row.Name)
	if err != nil {
		return nil, err
	}
	if taken != nil {
		return nameTaken(caller), nil
	}
	if refused, err := a.tested(ctx, caller, row, req.Password); refused != nil || err != nil {
		return refused, err
	}
	err = a.insertRegistry(ctx, row, req.Password, value(req.WebhookToken))
	if errors.Is(err, store.ErrTaken) {
		return nameTaken(caller), nil
	}
	if err != nil {
		return nil, fmt.Errorf("tcss: storing a registry: %w", err)
	}
	if err := a.Scans.SyncNow(ctx, caller.AccountID, []int64{row.ID}); err != nil {
		return nil, fmt.Errorf("tcss: starting the first synchronisation of registry %d: %w", row.ID, err)
	}
	return &registrySaved{RegistryId: row.ID}, nil
}

// fill writes a request into a row. What the request leaves out stays.
func (f *registryFields) fill(row *store.Registry) error {
	if _, err := registry.ParseURL(f.Url); err != nil {
		return badAddress("Url", f.Url, "give the base address of the registry, such as https://registry.example.org, without user and password",
			"请填写镜像仓库地址，例如https://registry.example.org，不含用户名和密码")
	}
	if strings.TrimSpace(f.Name) == "" {
		return badValue("Name", f.Name, "it is blank", "不能为空白")
	}
	if f.RegistryVersion != nil {
		version := strings.ToUpper(*f.RegistryVersion)
		if !slices.Contains([]string{"", "V1", "V2"}, version) {
			return badValue("RegistryVersion", *f.RegistryVersion, "use V1 or V2", "请使用V1或V2")
		}
		row.Version = version
	}
	row.Name, row.Username, row.URL = f.Name, f.Username, f.Url
	row.Type, row.NetType = f.RegistryType, f.NetType
	if region := value(f.RegistryRegion); region != "" {
		row.Region = region
	}
	keep(&row.SpeedLimit, f.SpeedLimit)
	keep(&row.NeedScan, f.NeedScan)
	keep(&row.InstanceID, f.InstanceId)
	if f.Insecure != nil {
		row.Insecure = *f.Insecure == 1
	}
	if f.SyncMode != nil {
		row.SyncMode = int64(*f.SyncMode)
	}
	if f.ConnDetectConfig != nil || row.ConnHosts == nil {
		row.ConnHosts = storedHosts(f.ConnDetectConfig)
	}
	return nil
}

// keep writes a parameter that was given.
func keep[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

// webhookURL refuses what a registry could not call.
func webhookURL(text string) error {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return badAddress("WebhookUrl", text, "give an http or https address", "请填写http或https地址")
}

// tested tries the connection and writes the result into the row. A failed test
// is an answer, not an error.
func (a *actions) tested(ctx context.Context, caller cloudapi.Caller, row *store.Registry, password string) (refused *registrySaved, err error) {
	client, err := a.Open(registry.Target{
		Type: row.Type, URL: row.URL, Username: row.Username, Password: password,
		Insecure: row.Insecure, SpeedLimit: row.SpeedLimit, Version: row.Version, InstanceID: row.InstanceID,
	})
	if err != nil {
		return nil, badAddress("Url", row.URL, "a registry client cannot use it", "无法作为镜像仓库地址使用")
	}
	limited, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	err = client.Check(limited)
	if ctx.Err() != nil { // the caller has gone
		return nil, fmt.Errorf("tcss: testing the connection to %s: %w", row.URL, ctx.Err())
	}
	if err != nil {
		return &registrySaved{HealthCheckErr: failureText(caller, err, limited.Err())}, nil
	}
	row.ConnStatus, row.ConnMessage = registry.StatusConnected, "success"
	row.ConnReason, row.ConnSolution = "", ""
	return nil, nil
}

// insertRegistry stores a new registry with its secrets sealed, and gives it a
// webhook address and token where the caller sent none.
func (a *actions) insertRegistry(ctx context.Context, row *store.Registry, password, token string) (err error) {
	if token == "" {
		if token, err = a.newToken(); err != nil {
			return err
		}
	}
	if row.SealedPassword, err = a.Sealer.Seal([]byte(password), row.PasswordContext()); err != nil {
		return fmt.Errorf("sealing the password: %w", err)
	}
	if row.SealedToken, err = a.Sealer.Seal([]byte(token), row.TokenContext()); err != nil {
		return fmt.Errorf("sealing the webhook token: %w", err)
	}
	row.UpdatedAt = row.CreatedAt
	return a.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		if err := db.InsertRegistry(ctx, row); err != nil {
			return err
		}
		if row.WebhookURL != "" {
			return nil
		}
		row.WebhookURL = fmt.Sprintf("%s/webhook/%d", strings.TrimRight(a.PublicURL, "/"), row.ID)
		return db.UpdateRegistry(ctx, row)
	})
}

// newToken makes a webhook token of 128 random bits.
func (a *actions) newToken() (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(a.Random, raw); err != nil {
		return "", fmt.Errorf("making a webhook token: %w", err)
	}
	return hex.EncodeToString(raw), nil
}

func nameTaken(caller cloudapi.Caller) *registrySaved {
	text := "a registry of this name exists; choose another name"
	if caller.Language == "zh-CN" {
		text = "镜像仓库名称已存在，请更换名称"
	}
	return &registrySaved{NameRepeatErr: text}
}

func (a *actions) removeRegistry(ctx context.Context, caller cloudapi.Caller, req *registryIDRequest) (*empty, error) {
	if err := a.Scans.RemoveRegistry(ctx, caller.AccountID, req.RegistryId); err != nil {
		return nil, notFoundAs(err, noRegistry(req.RegistryId), "removing registry %d", req.RegistryId)
	}
	return &empty{}, nil
}
