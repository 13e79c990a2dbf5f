package tcss

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/schedule"
	"dogwatch/internal/store"
)

// updateTimingTaskRequest is the whole scheduled scan: what it leaves out takes
// its default.
type updateTimingTaskRequest struct {
	ScanPeriod           uint64      `json:"ScanPeriod" api:"required,min=1,max=365" doc:"days from one run to the next"`
	Enable               bool        `json:"Enable" api:"required" doc:"whether runs are started"`
	ScanTime             string      `json:"ScanTime" api:"required" doc:"start of a run, time of day as HH:MM or HH:MM:SS in the server's zone"`
	ScanType             []string    `json:"ScanType" api:"enum=CVE|VIRUS|RISK,fold,unique" doc:"what to scan for; absent or empty: all three"`
	Images               []ImageInfo `json:"Images" api:"maxitems=500" doc:"images by name, with scope 1"`
	All                  *bool       `json:"All" api:"disabled" doc:"the same as scope 0"`
	Id                   []uint64    `json:"Id" api:"maxitems=10000" doc:"images by list id, with scope 1"`
	Latest               *bool       `json:"Latest" doc:"only the newest image of each repository"`
	ContainerRunning     *bool       `json:"ContainerRunning" doc:"only images that a running container uses"`
	ScanEndTime          *string     `json:"ScanEndTime" doc:"end of the window, time of day; nothing starts after it. Absent or empty: no end. Earlier than the start: on the next day"`
	ScanScope            *uint64     `json:"ScanScope" api:"max=2" doc:"0 all licensed images, 1 the chosen ones, 2 the recommended ones; absent: by the other parameters"`
	RegistryType         []string    `json:"RegistryType" api:"enum=tcr|ccr|harbor|quay|jfrog|aws|azure|other-tcr|oci,fold" doc:"only registries of these types"`
	Namespace            []string    `json:"Namespace" api:"maxitems=1000" doc:"only these namespaces"`
	ExcludeImageAssetIds []uint64    `json:"ExcludeImageAssetIds" api:"maxitems=10000" doc:"list ids to leave out"`
}

// timingTask is the scheduled scan as it is answered. It is also the form in
// which the accepted request is stored.
type timingTask struct {
	Enable               bool        `json:"Enable" doc:"whether runs are started"`
	ScanTime             string      `json:"ScanTime" doc:"start of a run, as it was written"`
	ScanPeriod           uint64      `json:"ScanPeriod" doc:"days from one run to the next"`
	ScanType             []string    `json:"ScanType" doc:"what is scanned for"`
	All                  bool        `json:"All" api:"disabled" doc:"as it was given"`
	Images               []ImageInfo `json:"Images" doc:"images by name"`
	Id                   []uint64    `json:"Id" doc:"images by list id"`
	Latest               bool        `json:"Latest" doc:"only the newest image of each repository"`
	ScanEndTime          *string     `json:"ScanEndTime" api:"nullable" doc:"end of the window, null if it has none"`
	RegistryType         []string    `json:"RegistryType" api:"nullable" doc:"registry types"`
	ContainerRunning     *bool       `json:"ContainerRunning" api:"nullable" doc:"only images that a running container uses"`
	ScanScope            *uint64     `json:"ScanScope" api:"nullable" doc:"the scope that applies"`
	Namespace            []string    `json:"Namespace" api:"nullable" doc:"namespaces"`
	ExcludeImageAssetIds []uint64    `json:"ExcludeImageAssetIds" api:"nullable" doc:"list ids left out"`
	LastScanTime         *string     `json:"LastScanTime" api:"nullable" doc:"start of the last run, null before the first"`
	ScanResult           *string     `json:"ScanResult" api:"nullable" doc:"result of the last run: Success, InsufficientLicense, ImageNeedIsEmpty or InternalError"`
}

func (a *actions) registerTimingTask(api *cloudapi.API) {
	cloudapi.Handle(api, cloudapi.Action{
		Name: "UpdateImageRegistryTimingScanTask", Role: cloudapi.RoleOperator,
		Doc:    "Replaces the account's scheduled scan of registry images. The days are counted anew if ScanPeriod, ScanTime or Enable changed.",
		Errors: []string{codeInvalid, codeNotFound},
	}, a.updateTimingTask)
	cloudapi.Handle(api, cloudapi.Action{
		Name:   "DescribeImageRegistryTimingScanTask",
		Doc:    "Shows the account's scheduled scan of registry images and the result of its last run.",
		Errors: []string{codeInvalid, codeNotFound},
	}, a.describeTimingTask)
}

func (a *actions) updateTimingTask(ctx context.Context, caller cloudapi.Caller, req *updateTimingTaskRequest) (*empty, error) {
	start, err := timeOfDay("ScanTime", req.ScanTime)
	if err != nil {
		return nil, err
	}
	end := value(req.ScanEndTime)
	if end != "" {
		if _, err := timeOfDay("ScanEndTime", end); err != nil {
			return nil, err
		}
	}
	choice := req.choice()
	scope, err := a.stored(ctx, caller.AccountID, choice)
	if err != nil {
		return nil, err
	}
	spec, err := json.Marshal(req.accepted(uint64(choice.kind())))
	if err != nil {
		return nil, fmt.Errorf("tcss: encoding the timing task of account %d: %w", caller.AccountID, err)
	}
	return &empty{}, a.putTimingTask(ctx, start, &store.TimingTask{
		AccountID:   caller.AccountID,
		Enabled:     req.Enable,
		Period:      int64(req.ScanPeriod),
		ScanTime:    req.ScanTime,
		ScanEndTime: end,
		Parts:       parts(req.ScanType),
		Scope:       scope,
		Spec:        spec,
	})
}

// putTimingTask stores the task. The next due moment and the last result stay
// unless the new task asks for another moment.
func (a *actions) putTimingTask(ctx context.Context, start schedule.TimeOfDay, task *store.TimingTask) error {
	err := a.Store.Tx(ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
		former, err := db.TimingTask(ctx, task.AccountID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		now := a.Clock.Now()
		task.UpdatedAt = store.At(now)
		if former != nil {
			task.NextDue, task.LastRunAt, task.LastResult = former.NextDue, former.LastRunAt, former.LastResult
		}
		switch {
		case !task.Enabled:
			task.NextDue = 0
		case former == nil || task.NextDue.IsZero() || restarts(former, task, start):
			task.NextDue = store.At(schedule.First(schedule.Task{Period: int(task.Period), Start: start, Location: a.Location}, now))
		}
		return db.PutTimingTask(ctx, task)
	})
	if err != nil {
		return fmt.Errorf("tcss: storing the timing task of account %d: %w", task.AccountID, err)
	}
	return nil
}

// restarts tells whether saving the task begins the count of days anew.
func restarts(former, task *store.TimingTask, start schedule.TimeOfDay) bool {
	was, err := schedule.ParseTimeOfDay(former.ScanTime)
	return err != nil || was != start || former.Period != task.Period || former.Enabled != task.Enabled
}

func timeOfDay(name, text string) (schedule.TimeOfDay, error) {
	t, err := schedule.ParseTimeOfDay(text)
	if err != nil {
		return 0, badValue(name, text, "write a time of day as HH:MM or HH:MM:SS", "请使用HH:MM或HH:MM:SS格式")
	}
	return t, nil
}

func (req *updateTimingTaskRequest) choice() choice {
	return choice{
		scope:         req.ScanScope,
		all:           value(req.All),
		ids:           req.Id,
		images:        req.Images,
		registryTypes: req.RegistryType,
		namespaces:    req.Namespace,
		latest:        value(req.Latest),
		running:       value(req.ContainerRunning),
		exclude:       req.ExcludeImageAssetIds,
	}
}

// accepted is the request with every default filled in.
func (req *updateTimingTaskRequest) accepted(scope uint64) timingTask {
	running := value(req.ContainerRunning)
	t := timingTask{
		Enable: req.Enable, ScanTime: req.ScanTime, ScanPeriod: req.ScanPeriod,
		ScanType: parts(req.ScanType).Names(),
		All:      value(req.All), Latest: value(req.Latest), ContainerRunning: &running, ScanScope: &scope,
		Images: orEmpty(req.Images), Id: orEmpty(req.Id), RegistryType: orEmpty(req.RegistryType),
		Namespace: orEmpty(req.Namespace), ExcludeImageAssetIds: orEmpty(req.ExcludeImageAssetIds),
	}
	for i := range t.Images {
		t.Images[i] = t.Images[i].complete()
	}
	if end := value(req.ScanEndTime); end != "" {
		t.ScanEndTime = &end
	}
	return t
}

func (a *actions) describeTimingTask(ctx context.Context, caller cloudapi.Caller, _ *empty) (*timingTask, error) {
	row, err := a.Store.TimingTask(ctx, caller.AccountID)
	if errors.Is(err, store.ErrNotFound) {
		return &timingTask{ScanPeriod: 1, ScanTime: "00:00:00", ScanType: []string{}, Images: []ImageInfo{}, Id: []uint64{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tcss: reading the timing task of account %d: %w", caller.AccountID, err)
	}
	task := new(timingTask)
	if err := json.Unmarshal(row.Spec, task); err != nil {
		return nil, fmt.Errorf("tcss: stored timing task of account %d: %w", caller.AccountID, err)
	}
	if !row.LastRunAt.IsZero() {
		last := a.plain(row.LastRunAt)
		task.LastScanTime = &last
	}
	if row.LastResult != "" {
		task.ScanResult = &row.LastResult
	}
	return task, nil
}
