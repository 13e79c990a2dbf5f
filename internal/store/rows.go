package store

import (
	"encoding/json"

	"github.com/uptrace/bun"
)

// Scan states of an image, of its parts and of a run (reference E1).
const (
	NotScan     = "NOT_SCAN"
	Scanning    = "SCANNING"
	Scanned     = "SCANNED"
	ScanErr     = "SCAN_ERR"
	Canceled    = "CANCELED"
	ScanTimeout = "SCAN_TIMEOUT"
)

// Item states. An item ends in exactly one of the last four.
const (
	ItemQueued   = "queued"
	ItemRunning  = "running"
	ItemDone     = "done"
	ItemFailed   = "failed"
	ItemCanceled = "canceled"
	ItemTimedOut = "timed-out"
)

// Results of a timing task's last run (reference E6).
const (
	ResultSuccess             = "Success"
	ResultInsufficientLicense = "InsufficientLicense"
	ResultImageNeedIsEmpty    = "ImageNeedIsEmpty"
	ResultInternalError       = "InternalError"
)

// Synchronisation states of a registry.
const (
	SyncDoing   = "doing"
	SyncSuccess = "success"
	SyncFailed  = "failed"
)

// Account is a tenant.
type Account struct {
	bun.BaseModel `bun:"table:account"`

	ID          int64  `bun:",pk,autoincrement"`
	Name        string // unique
	CreatedAt   Moment
	LicenceCap  int64  // licensed images at most; 0: no cap
	QuotaTenths int64  // scans a month in tenths; 0: unlimited
	FirstPrice  int64  // tenths a first scan costs, default 10
	AgainPrice  int64  // tenths a later scan costs, default 1
	SyncMinute  int64  // minute after 0:00 local time of the nightly synchronisation, 0 to 179; -1: off
	SyncedDay   string // local day of the last nightly synchronisation, "2006-01-02"
}

// AccessKey signs API calls for one account.
type AccessKey struct {
	bun.BaseModel `bun:"table:access_key"`

	ID           int64 `bun:",pk,autoincrement"`
	AccountID    int64
	SecretID     string // unique
	SealedSecret []byte // encrypted at rest
	Role         string // "administrator", "operator", "read-only"
	Disabled     bool
	Note         string
	CreatedAt    Moment
}

// User may sign in to the console of one account.
type User struct {
	bun.BaseModel `bun:"table:console_user"`

	ID           int64 `bun:",pk,autoincrement"`
	AccountID    int64
	Name         string // unique
	PasswordHash string
	Role         string
	Disabled     bool
	CreatedAt    Moment
}

// Registry is a place images are read from.
type Registry struct {
	bun.BaseModel `bun:"table:registry"`

	ID             int64 `bun:",pk,autoincrement"`
	AccountID      int64
	Name           string // unique in the account
	Type           string
	URL            string `bun:"url"`
	Username       string
	SealedPassword []byte
	NetType        string
	Version        string
	Region         string
	SpeedLimit     int64 // MB/s, 0: none
	Insecure       bool
	SyncMode       int64 // 0 full, 1 incremental
	NeedScan       bool
	WebhookURL     string `bun:"webhook_url"`
	SealedToken    []byte // webhook token
	InstanceID     string
	ConnHosts      json.RawMessage `bun:"type:text"` // ConnDetectConfig as given, JSON list
	ConnStatus     string          // reference E8
	ConnMessage    string
	ConnReason     string
	ConnSolution   string
	SyncStatus     string // "", doing, success, failed
	SyncStartedAt  Moment
	SyncedAt       Moment // last successful synchronisation
	SyncReason     string
	SyncSolution   string
	CreatedAt      Moment
	UpdatedAt      Moment
}

// Image is one tag of one repository of one registry. The outcome columns
// belong to AssessedDigest, which stays the former content while a new one is
// being scanned.
type Image struct {
	bun.BaseModel `bun:"table:image"`

	ID         int64 `bun:",pk,autoincrement"`
	AccountID  int64
	RegistryID int64
	Namespace  string
	Name       string // repository name inside the namespace
	Tag        string
	Repository string // whole path inside the registry, "team/app"
	Address    string // "host/team/app"
	Digest     string // what the tag points to
	ImageID    string `bun:"image_id"` // digest of the configuration
	Size       int64
	CreatedAt  Moment // creation time of the image; 0 unknown
	OSName     string `bun:"os_name"`
	IsLatest   bool
	Authorized bool
	Trusted    bool
	Containers int64 // running containers that use it
	FoundAt    Moment
	SeenAt     Moment // last synchronisation that saw it

	ScanStatus    string
	CveStatus     string
	VirusStatus   string
	RiskStatus    string
	CveProgress   int64
	VirusProgress int64
	RiskProgress  int64
	CveError      string
	VirusError    string
	RiskError     string
	Reason        string
	Solution      string
	ScannedAt     Moment
	RemainSeconds int64
	ItemID        int64 // the item that is scanning it, 0: none

	AssessedDigest string
	Snapshot       string // advisory snapshot of the CVE part, "" none yet
	CveAt          Moment // last success of each part, 0 never
	VirusAt        Moment
	RiskAt         Moment
	VulCnt         int64
	CriticalCnt    int64
	HighCnt        int64
	MediumCnt      int64
	LowCnt         int64
	VirusCnt       int64
	RiskCnt        int64
	SensitiveCnt   int64
	ComponentCnt   int64
	NeedFix        bool
}

// Content is what an account learned of one manifest: enough to judge the image
// again without a request to the registry. Secrets in it are masked.
type Content struct {
	bun.BaseModel `bun:"table:content"`

	AccountID      int64  `bun:",pk"`
	Digest         string `bun:",pk"` // what the tag points to: a manifest or an index
	ManifestDigest string // the manifest chosen for the platform
	ConfigDigest   string
	MediaType      string
	Size           int64
	CreatedAt      Moment
	Platform       string          // "linux/amd64"
	PlatformNote   string          // which platforms an index offers and which was taken
	Layers         json.RawMessage `bun:"type:text"` // inventory.LayerRef list, base first
	Risks          json.RawMessage `bun:"type:text"` // facts.Risk list
	RiskRevision   string
	History        string // the API's LayerInfo text, masked
	LearnedAt      Moment
}

// LayerFacts are the stored facts of one layer.
type LayerFacts struct {
	bun.BaseModel `bun:"table:layer_facts"`

	Digest      string `bun:",pk"`
	Revision    string `bun:",pk"`
	Complete    bool
	Bytes       int64  // compressed size of the layer
	Facts       []byte // facts.Encode
	InspectedAt Moment
	TookMillis  int64
}

// TimingTask is the account's one scheduled scan. Spec is the request as it was
// accepted (tcss owns its form); the columns beside it are what the scheduler reads.
type TimingTask struct {
	bun.BaseModel `bun:"table:timing_task"`

	AccountID   int64 `bun:",pk"`
	Enabled     bool
	Period      int64  // days
	ScanTime    string // as given, HH:MM or HH:MM:SS
	ScanEndTime string // "" no end
	Parts       Parts
	Scope       Scope           `bun:"type:text"`
	Spec        json.RawMessage `bun:"type:text"`
	NextDue     Moment          // 0: not due (disabled)
	LastRunAt   Moment
	LastResult  string // E6, "" before the first run
	UpdatedAt   Moment
}

// Scope says which images a run takes (reference E4). It is stored as JSON.
type Scope struct {
	Kind             int         `json:"kind"` // 0 all licensed, 1 selected, 2 recommended
	IDs              []int64     `json:"ids,omitempty"`
	Names            []ImageName `json:"names,omitempty"`
	RegistryTypes    []string    `json:"registry_types,omitempty"`
	Namespaces       []string    `json:"namespaces,omitempty"`
	Latest           bool        `json:"latest,omitempty"`
	ContainerRunning bool        `json:"container_running,omitempty"`
	ExcludeIDs       []int64     `json:"exclude_ids,omitempty"`
	Filters          []Filter    `json:"filters,omitempty"` // manual scans by filter
}

// ImageName names an image as the API's ImageInfo does. The first four fields
// must match; the others, where given, must match too.
type ImageName struct {
	InstanceName string `json:"instance_name"`
	Namespace    string `json:"namespace"`
	ImageName    string `json:"image_name"`
	ImageTag     string `json:"image_tag"`
	Force        bool   `json:"force,omitempty"`
	ImageDigest  string `json:"image_digest,omitempty"`
	RegistryType string `json:"registry_type,omitempty"`
	RepoAddress  string `json:"repo_address,omitempty"`
	InstanceID   string `json:"instance_id,omitempty"`
}

// Filter is one condition of a list; conditions combine with AND, the values of
// one with OR. Exact false means "contains" except for identifiers and
// enumerations (reference C8).
type Filter struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
	Exact  bool     `json:"exact,omitempty"`
}

// Kinds of run.
const (
	RunTiming = "timing"  // by the timing task
	RunManual = "manual"  // CreateAssetImageRegistryScanTask
	RunOneKey = "one-key" // CreateAssetImageRegistryScanTaskOneKey
	RunSync   = "sync"    // NeedScan after a synchronisation
)

// Run is one execution of a timing task or of a manual scan (the API's TaskID).
type Run struct {
	bun.BaseModel `bun:"table:run"`

	ID         int64 `bun:",pk,autoincrement"`
	AccountID  int64
	Kind       string
	Parts      Parts
	Scope      Scope  `bun:"type:text"`
	State      string // Scanning, Scanned, Canceled, ScanTimeout
	Total      int64  // images of the scope when the run was opened
	Origin     int64  // image id after which the walk through the scope began; it ends there, all around
	Cursor     int64  // image id that the walk has come to; once something was dropped, the one before it
	Expanded   bool   // the cursor reached the end
	Finished   int64  // items ended, however
	Clean      int64  // images examined whole, without findings
	Risky      int64  // images with findings
	Failed     int64  // items that failed
	Elsewhere  int64  // images left to another run that was scanning them
	Dropped    int64  // images not started when the window or the time ended
	Reason     string // why it ended as it did, for people
	DueAt      Moment // the moment of the schedule, 0 for manual runs
	StartedAt  Moment
	Deadline   Moment // the run's own timeout
	WindowEnd  Moment // 0: no end
	FinishedAt Moment
}

// Item is one image within a run.
type Item struct {
	bun.BaseModel `bun:"table:item"`

	ID         int64 `bun:",pk,autoincrement"`
	RunID      int64
	AccountID  int64
	ImageID    int64
	RegistryID int64
	Parts      Parts
	Force      bool
	State      string
	Attempt    int64  // fencing: grows with each take-over, a writer must hold the current one
	Owner      string // worker that runs it
	Digest     string // content that was scanned
	Error      string // short code, "" none
	Layers     int64  // layers of the image
	LayersDone int64
	Prior      json.RawMessage `bun:"type:text"` // the image's state columns before the item began (ScanState)
	Charged    int64           // tenths charged to the quota
	QueuedAt   Moment
	StartedAt  Moment
	FinishedAt Moment
}

// ScanState is the part of an image row that a scan changes while it runs and
// that is put back when the scan is stopped.
type ScanState struct {
	ScanStatus, CveStatus, VirusStatus, RiskStatus string
	CveProgress, VirusProgress, RiskProgress       int64
	CveError, VirusError, RiskError                string
	Reason, Solution                               string
}

// Snapshot is a numbered state of the advisory data; the data itself is a file.
type Snapshot struct {
	bun.BaseModel `bun:"table:advisory_snapshot"`

	ID        string `bun:",pk"` // short digest
	File      string
	Records   int64
	Source    string
	CreatedAt Moment
}

// Worker is a process that takes jobs; the reaper gives back the work of one
// whose heartbeat stopped.
type Worker struct {
	bun.BaseModel `bun:"table:worker"`

	ID          string `bun:",pk"`
	Host        string
	StartedAt   Moment
	HeartbeatAt Moment
}
