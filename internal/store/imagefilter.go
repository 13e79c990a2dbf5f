package store

import "strings"

// registryColumns are the filters on what an image's registry adds. Names are
// searched, the others are identifiers and enumerations and always exact.
var registryColumns = map[string]string{
	"InstanceName":   "name",
	"InstanceId":     "instance_id",
	"RegistryType":   "type",
	"RegistryRegion": "region",
}

// textColumns are the filters that search (contains, unless exact).
var textColumns = map[string]string{
	"Namespace":        "image.namespace",
	"ImageName":        "image.name",
	"ImageTag":         "image.tag",
	"ImageRepoAddress": "image.address",
	"OsName":           "image.os_name",
}

// idColumns are the filters on identifiers: always exact.
var idColumns = map[string]string{
	"ImageDigest": "image.digest",
	"ImageId":     "image.image_id",
}

// scanStatus are the words of the ScanStatus filter in both spellings.
var scanStatus = map[string]string{
	"NOTSCAN":  NotScan,
	"SCANNING": Scanning,
	"SCANNED":  Scanned,
	"SCANERR":  ScanErr,
}

// securityRisk are the words of the SecurityRisk filter, in lower case.
var securityRisk = map[string]string{
	"vulcnt":           "image.vul_cnt > 0",
	"viruscnt":         "image.virus_cnt > 0",
	"riskcnt":          "image.risk_cnt > 0",
	"istrustimage":     "image.trusted",
	"criticallevelvul": "image.critical_cnt > 0",
	"highlevelvul":     "image.high_cnt > 0",
	"mediumlevelvul":   "image.medium_cnt > 0",
	"lowlevelvul":      "image.low_cnt > 0",
}

// imageFilter is one condition of the image list. A filter without values or
// with an unknown name is no condition; an unknown word of an enumeration
// matches nothing.
func imageFilter(accountID int64, f Filter) cond {
	if len(f.Values) == 0 {
		return cond{}
	}
	if column, ok := textColumns[f.Name]; ok {
		return contains(column, f)
	}
	if column, ok := idColumns[f.Name]; ok {
		return equals(column, f.Values)
	}
	if column, ok := registryColumns[f.Name]; ok {
		return inRegistry(accountID, registryColumn(column, f))
	}
	switch f.Name {
	case "IsAuthorized":
		return authorizedFilter(f.Values)
	case "ScanStatus":
		return equals("image.scan_status", statuses(f.Values))
	case "SecurityRisk":
		return riskFilter(f.Values)
	case "ImageAssetIds":
		return idIn("image.id", f.Values)
	case "OnlyShowLatest":
		return latestFilter(f.Values)
	}
	return cond{}
}

func registryColumn(column string, f Filter) cond {
	switch column {
	case "name":
		return contains(column, f)
	case "type":
		return equals(column, lower(f.Values))
	}
	return equals(column, f.Values)
}

// inRegistry matches images of those of the account's registries under a condition.
func inRegistry(accountID int64, c cond) cond {
	return cond{
		"image.registry_id IN (SELECT id FROM registry WHERE account_id = ? AND " + c.sql + ")",
		append([]any{accountID}, c.args...),
	}
}

// lower is for words that are kept in lower case and accepted in any.
func lower(values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = strings.ToLower(v)
	}
	return list
}

func authorizedFilter(values []string) cond {
	var list []cond
	for _, v := range values {
		switch strings.ToLower(v) {
		case "all":
			return cond{}
		case "0":
			list = append(list, cond{sql: "NOT image.authorized"})
		case "1":
			list = append(list, cond{sql: "image.authorized"})
		}
	}
	return anyOf(list)
}

func statuses(values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v
		if s, ok := scanStatus[strings.ToUpper(strings.ReplaceAll(v, "_", ""))]; ok {
			list[i] = s
		}
	}
	return list
}

func riskFilter(values []string) cond {
	var list []cond
	for _, v := range values {
		if c, ok := securityRisk[strings.ToLower(v)]; ok {
			list = append(list, cond{sql: c})
		}
	}
	return anyOf(list)
}

func latestFilter(values []string) cond {
	for _, v := range values {
		if v == "1" || strings.EqualFold(v, "true") {
			return cond{sql: "image.is_latest"}
		}
	}
	return cond{}
}
