package tcss

type imageListRequest struct {
	paging
	Filters []AssetFilters `json:"Filters" api:"maxitems=50" doc:"IsAuthorized, InstanceName, InstanceId, RegistryType, RegistryRegion, Namespace, ImageName, ImageTag, ImageDigest, ImageId, ImageRepoAddress, OsName, ScanStatus, SecurityRisk, ImageAssetIds, OnlyShowLatest"`
	ordering
	OnlyShowLatest *bool `json:"OnlyShowLatest" doc:"only the newest image of each repository"`
	IsRunning      *bool `json:"IsRunning" doc:"only images that a running container uses"`
}

type imageListAnswer struct {
	List       []ImageRepoInfo `json:"List" doc:"rows of the page"`
	TotalCount uint64          `json:"TotalCount" doc:"rows that match"`
}

// imageCommon is what the list and the detail of an image share.
type imageCommon struct {
	ImageDigest       string  `json:"ImageDigest" doc:"digest the tag points to"`
	ImageRepoAddress  string  `json:"ImageRepoAddress" doc:"address of the repository, without tag"`
	RegistryType      string  `json:"RegistryType" doc:"kind of registry"`
	ImageName         string  `json:"ImageName" doc:"repository name inside the namespace"`
	ImageTag          string  `json:"ImageTag" doc:"tag"`
	ImageSize         uint64  `json:"ImageSize" doc:"compressed size in bytes"`
	ScanTime          string  `json:"ScanTime" doc:"last scan, ISO 8601 with offset; empty before the first"`
	ScanStatus        string  `json:"ScanStatus" doc:"NOT_SCAN, SCANNING, SCANNED or SCAN_ERR"`
	VulCnt            uint64  `json:"VulCnt" doc:"vulnerabilities"`
	VirusCnt          uint64  `json:"VirusCnt" doc:"malicious files"`
	RiskCnt           uint64  `json:"RiskCnt" doc:"sensitive data and risky instructions"`
	SentiveInfoCnt    uint64  `json:"SentiveInfoCnt" api:"disabled" doc:"the same as SensitiveInfoCnt"`
	OsName            string  `json:"OsName" doc:"distribution, linux if unknown"`
	ScanVirusError    string  `json:"ScanVirusError" doc:"short word for what the malware scan failed on or left out, else empty"`
	ScanVulError      string  `json:"ScanVulError" doc:"the same of the vulnerability scan"`
	ScanRiskError     string  `json:"ScanRiskError" doc:"the same of the scan for sensitive data"`
	InstanceId        string  `json:"InstanceId" doc:"id of the registry instance"`
	InstanceName      string  `json:"InstanceName" doc:"name of the registry"`
	Namespace         string  `json:"Namespace" doc:"namespace in the registry"`
	ScanVirusProgress uint64  `json:"ScanVirusProgress" doc:"progress of the malware scan, 0 to 100"`
	ScanVulProgress   uint64  `json:"ScanVulProgress" doc:"progress of the vulnerability scan, 0 to 100"`
	ScanRiskProgress  uint64  `json:"ScanRiskProgress" doc:"progress of the scan for sensitive data, 0 to 100"`
	ScanRemainTime    uint64  `json:"ScanRemainTime" doc:"estimated seconds left"`
	CveStatus         string  `json:"CveStatus" doc:"state of the vulnerability scan"`
	RiskStatus        string  `json:"RiskStatus" doc:"state of the scan for sensitive data"`
	VirusStatus       string  `json:"VirusStatus" doc:"state of the malware scan"`
	Progress          uint64  `json:"Progress" doc:"overall progress, 0 to 100"`
	IsAuthorized      uint64  `json:"IsAuthorized" doc:"1 if licensed for scanning"`
	RegistryRegion    string  `json:"RegistryRegion" doc:"region of the registry"`
	ImageId           string  `json:"ImageId" doc:"digest of the configuration"`
	ImageCreateTime   string  `json:"ImageCreateTime" doc:"creation time, ISO 8601 with offset; the year 1900 if unknown"`
	SensitiveInfoCnt  *uint64 `json:"SensitiveInfoCnt" api:"nullable" doc:"sensitive data"`
	Solution          *string `json:"Solution" api:"nullable" doc:"advice, for people"`
	Reason            *string `json:"Reason" api:"nullable" doc:"what went wrong or was left out, for people"`
}

// ImageRepoInfo is one row of the list of images.
type ImageRepoInfo struct {
	imageCommon
	Id                  uint64  `json:"Id" doc:"list id"`
	IsTrustImage        bool    `json:"IsTrustImage" doc:"marked as trusted"`
	IsLatestImage       bool    `json:"IsLatestImage" doc:"newest tag of its repository"`
	LowLevelVulCnt      *uint64 `json:"LowLevelVulCnt" api:"nullable" doc:"vulnerabilities of low or unknown level"`
	MediumLevelVulCnt   *uint64 `json:"MediumLevelVulCnt" api:"nullable" doc:"vulnerabilities of medium level"`
	HighLevelVulCnt     *uint64 `json:"HighLevelVulCnt" api:"nullable" doc:"vulnerabilities of high level"`
	CriticalLevelVulCnt *uint64 `json:"CriticalLevelVulCnt" api:"nullable" doc:"vulnerabilities of critical level"`
	ContainerCnt        *uint64 `json:"ContainerCnt" api:"nullable" doc:"running containers that use it"`
	ComponentCnt        *uint64 `json:"ComponentCnt" api:"nullable" doc:"packages found in it"`
	IsRunning           *bool   `json:"IsRunning" api:"nullable" doc:"a running container uses it"`
	HasNeedFixVul       *bool   `json:"HasNeedFixVul" api:"nullable" doc:"has a critical or high vulnerability with a fix"`
	RecommendedFix      *bool   `json:"RecommendedFix" api:"nullable" doc:"the same as HasNeedFixVul"`
}

type imageDetailRequest struct {
	Id      *uint64 `json:"Id" doc:"list id of the image"`
	ImageId *string `json:"ImageId" doc:"digest of the configuration; used when Id is absent"`
}

type imageDetail struct {
	imageCommon
	LayerInfo string  `json:"LayerInfo" doc:"build history, one block for each step: time, then instruction, values masked. The last block names the platform if the tag offers several"`
	Id        *uint64 `json:"Id" api:"nullable" doc:"list id"`
}
