package tcss

// ConnDetectConfig names a host that is to test the connection.
type ConnDetectConfig struct {
	Quuid *string `json:"Quuid" doc:"identifier of the host; backend means the server itself"`
	Uuid  *string `json:"Uuid" doc:"second identifier of the host"`
}

// RegistryConnDetectResult is what one tester found.
type RegistryConnDetectResult struct {
	Quuid             string `json:"Quuid" doc:"identifier of the tester, backend for the server itself"`
	Uuid              string `json:"Uuid" doc:"second identifier of the tester"`
	ConnDetectStatus  string `json:"ConnDetectStatus" doc:"status_connected, status_auth_failed, status_network_failed, status_cert_failed or status_unknown"`
	ConnDetectMessage string `json:"ConnDetectMessage" doc:"success, or a short word for the failure"`
	Solution          string `json:"Solution" doc:"advice, for people"`
	FailReason        string `json:"FailReason" doc:"cause, for people"`
}

// registryFields are what Add and Update have in common.
type registryFields struct {
	Name             string             `json:"Name" api:"required,minlen=1,maxlen=255" doc:"name of the registry, unique in the account"`
	Username         string             `json:"Username" api:"required,maxlen=4096" doc:"user; empty for a registry that anybody may read"`
	Password         string             `json:"Password" api:"required,maxlen=65536" doc:"password or token of the user"`
	Url              string             `json:"Url" api:"required,minlen=1,maxlen=2048" doc:"base address, http or https"`
	RegistryType     string             `json:"RegistryType" api:"required,enum=harbor|quay|jfrog|aws|azure|other-tcr|oci,fold" doc:"kind of registry; oci is any registry that speaks the distribution protocol"`
	NetType          string             `json:"NetType" api:"required,enum=public|private,fold" doc:"whether the registry is reached over a public or a private network"`
	RegistryVersion  *string            `json:"RegistryVersion" doc:"V1 for Harbor 1.x, V2 for later ones, in any case"`
	RegistryRegion   *string            `json:"RegistryRegion" api:"maxlen=255" doc:"region, default if absent"`
	SpeedLimit       *int64             `json:"SpeedLimit" api:"min=0,max=1000000" doc:"bytes read from the registry, in MB a second; 0 for no limit"`
	Insecure         *uint64            `json:"Insecure" api:"max=1" doc:"0 to check the certificate, 1 not to"`
	ConnDetectConfig []ConnDetectConfig `json:"ConnDetectConfig" api:"maxitems=100" doc:"hosts that are to test the connection. This server has no agents on hosts: it keeps them and tests by itself"`
	NeedScan         *bool              `json:"NeedScan" doc:"license and scan what a synchronisation brings: the newest image of each repository with full, all new images with incremental synchronisation"`
	SyncMode         *uint64            `json:"SyncMode" api:"max=1" doc:"0 to read everything each time, 1 for what is new"`
	InstanceId       *string            `json:"InstanceId" api:"maxlen=255" doc:"id of the registry instance"`
}

type addRegistryRequest struct {
	registryFields
	WebhookUrl   *string `json:"WebhookUrl" api:"maxlen=2048" doc:"address the registry calls on a push; made by the server if absent"`
	WebhookToken *string `json:"WebhookToken" api:"maxlen=1024" doc:"token of that call; made by the server if absent"`
}

type updateRegistryRequest struct {
	registryFields
	RegistryId *int64 `json:"RegistryId" doc:"id of the registry; absent: the one called Name"`
}

// registrySaved is the answer of Add and Update. A name in use and a failed
// connection test are no errors: they fill their field, and nothing is stored.
type registrySaved struct {
	HealthCheckErr string `json:"HealthCheckErr" doc:"why the connection test failed, else empty"`
	NameRepeatErr  string `json:"NameRepeatErr" doc:"says that the name is taken, else empty"`
	RegistryId     int64  `json:"RegistryId" doc:"id of the registry, 0 if nothing was stored"`
}

type registryIDRequest struct {
	RegistryId int64 `json:"RegistryId" api:"required" doc:"id of the registry"`
}

type checkRegistryRequest struct {
	Name string `json:"Name" api:"required,minlen=1,maxlen=255" doc:"name to look for"`
}

type checkRegistryAnswer struct {
	IsRepeat bool `json:"IsRepeat" doc:"true if a registry has the name"`
}

// registryDetail is one registry as its edit form needs it.
type registryDetail struct {
	Name             string                     `json:"Name" doc:"name"`
	Username         string                     `json:"Username" doc:"user"`
	Password         string                     `json:"Password" doc:"asterisks; sent back in an update, they keep the stored password"`
	Url              string                     `json:"Url" doc:"base address"`
	RegistryType     string                     `json:"RegistryType" doc:"kind of registry"`
	RegistryVersion  string                     `json:"RegistryVersion" doc:"V1, V2 or empty"`
	NetType          string                     `json:"NetType" doc:"public or private"`
	RegistryRegion   string                     `json:"RegistryRegion" doc:"region"`
	SpeedLimit       uint64                     `json:"SpeedLimit" doc:"MB a second, 0 for no limit"`
	Insecure         uint64                     `json:"Insecure" doc:"1 if the certificate is not checked"`
	ConnDetectDetail []RegistryConnDetectResult `json:"ConnDetectDetail" api:"nullable" doc:"last connection test, one entry for each tester"`
	InstanceID       *string                    `json:"InstanceID" api:"nullable" doc:"id of the registry instance"`
	SyncMode         *uint64                    `json:"SyncMode" api:"nullable" doc:"0 full, 1 incremental synchronisation"`
	NeedScan         *bool                      `json:"NeedScan" api:"nullable" doc:"whether new images are licensed and scanned by themselves"`
	WebhookUrl       *string                    `json:"WebhookUrl" api:"nullable" doc:"address the registry calls on a push"`
	WebhookToken     *string                    `json:"WebhookToken" api:"nullable" doc:"token of that call; asterisks for a read-only caller"`
}

type registryListRequest struct {
	paging
	Filters []AssetFilters `json:"Filters" api:"maxitems=50" doc:"Name, RegistryType, Url, RegistryId"`
	ordering
}

// ImageRepoRegistryInfo is one row of the list of registries.
type ImageRepoRegistryInfo struct {
	RegistryId          uint64                     `json:"RegistryId" doc:"id of the registry"`
	Name                string                     `json:"Name" doc:"name"`
	RegistryType        string                     `json:"RegistryType" doc:"kind of registry"`
	Url                 string                     `json:"Url" doc:"base address"`
	NetType             string                     `json:"NetType" doc:"public or private"`
	RegistryRegion      string                     `json:"RegistryRegion" doc:"region"`
	RegistryVersion     string                     `json:"RegistryVersion" doc:"V1, V2 or empty"`
	ConnectMsg          string                     `json:"ConnectMsg" doc:"why the last connection test failed, else empty"`
	ConnDetectType      *string                    `json:"ConnDetectType" api:"nullable" doc:"backend: the server tests by itself"`
	ConnDetectHostCount *uint64                    `json:"ConnDetectHostCount" api:"nullable" doc:"hosts that test, 0"`
	ConnDetectDetail    []RegistryConnDetectResult `json:"ConnDetectDetail" api:"nullable" doc:"last connection test, one entry for each tester"`
	InstanceID          *string                    `json:"InstanceID" api:"nullable" doc:"id of the registry instance"`
	LatestSyncTime      *string                    `json:"LatestSyncTime" api:"nullable" doc:"last successful synchronisation, null before the first"`
	SyncStatus          *string                    `json:"SyncStatus" api:"nullable" doc:"doing, success or failed; null before the first synchronisation"`
	SyncFailReason      *string                    `json:"SyncFailReason" api:"nullable" doc:"why the last synchronisation failed"`
	SyncSolution        *string                    `json:"SyncSolution" api:"nullable" doc:"advice for that"`
	SyncMessage         *string                    `json:"SyncMessage" api:"nullable" doc:"the same as SyncFailReason"`
	SyncMode            *uint64                    `json:"SyncMode" api:"nullable" doc:"0 full, 1 incremental synchronisation"`
}

type registryListAnswer struct {
	List       []ImageRepoRegistryInfo `json:"List" doc:"rows of the page"`
	TotalCount uint64                  `json:"TotalCount" doc:"rows that match"`
}
