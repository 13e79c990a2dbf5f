package match

import "strings"

// categoryOfCWE names a class of weakness in capitals; "" for rare ones.
func categoryOfCWE(cwe string) string {
	number := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(cwe)), "CWE-")
	for _, find := range [...]func(string) string{weaknessOfMemory, weaknessOfInput, weaknessOfAccess, weaknessOfResources} {
		if name := find(number); name != "" {
			return name
		}
	}
	return ""
}

func weaknessOfMemory(number string) string {
	switch number {
	case "119", "120":
		return "BUFFER_OVERFLOW"
	case "121":
		return "STACK_BUFFER_OVERFLOW"
	case "122":
		return "HEAP_BUFFER_OVERFLOW"
	case "125", "126":
		return "OUT_OF_BOUNDS_READ"
	case "129":
		return "OUT_OF_BOUNDS_ACCESS"
	case "134":
		return "FORMAT_STRING"
	case "190", "191":
		return "INTEGER_OVERFLOW"
	case "369":
		return "DIVIDE_BY_ZERO"
	case "401":
		return "MEMORY_LEAK"
	case "415":
		return "DOUBLE_FREE"
	case "416":
		return "USE_AFTER_FREE"
	case "476":
		return "NULL_POINTER_DEREFERENCE"
	case "665":
		return "IMPROPER_INITIALIZATION"
	case "704", "843":
		return "TYPE_CONFUSION"
	case "787":
		return "OUT_OF_BOUNDS_WRITE"
	case "908":
		return "UNINITIALIZED_RESOURCE"
	}
	return ""
}

func weaknessOfInput(number string) string {
	switch number {
	case "20":
		return "IMPROPER_INPUT_VALIDATION"
	case "22", "23", "36":
		return "PATH_TRAVERSAL"
	case "74":
		return "INJECTION"
	case "77", "78", "88":
		return "COMMAND_INJECTION"
	case "79", "80":
		return "CROSS_SITE_SCRIPTING"
	case "89":
		return "SQL_INJECTION"
	case "91":
		return "XML_INJECTION"
	case "93", "113":
		return "CRLF_INJECTION"
	case "94", "95":
		return "CODE_INJECTION"
	case "117":
		return "LOG_INJECTION"
	case "352":
		return "CROSS_SITE_REQUEST_FORGERY"
	case "434":
		return "UNRESTRICTED_UPLOAD"
	case "444":
		return "REQUEST_SMUGGLING"
	case "502":
		return "UNSAFE_DESERIALIZATION"
	case "601":
		return "OPEN_REDIRECT"
	case "611":
		return "XML_EXTERNAL_ENTITY"
	case "918":
		return "SERVER_SIDE_REQUEST_FORGERY"
	case "1321":
		return "PROTOTYPE_POLLUTION"
	case "1336":
		return "TEMPLATE_INJECTION"
	}
	return ""
}

func weaknessOfAccess(number string) string {
	switch number {
	case "200", "203", "209", "532", "668":
		return "INFORMATION_DISCLOSURE"
	case "250", "269":
		return "PRIVILEGE_ESCALATION"
	case "276", "281", "732":
		return "INCORRECT_PERMISSIONS"
	case "284":
		return "ACCESS_CONTROL"
	case "285", "639", "863":
		return "IMPROPER_AUTHORIZATION"
	case "287", "290", "294":
		return "IMPROPER_AUTHENTICATION"
	case "295", "297":
		return "CERTIFICATE_VALIDATION"
	case "306":
		return "MISSING_AUTHENTICATION"
	case "307":
		return "BRUTE_FORCE"
	case "310", "326", "327":
		return "WEAK_CRYPTOGRAPHY"
	case "311":
		return "MISSING_ENCRYPTION"
	case "319":
		return "CLEARTEXT_TRANSMISSION"
	case "330", "338":
		return "WEAK_RANDOMNESS"
	case "345":
		return "INSUFFICIENT_VERIFICATION"
	case "347":
		return "SIGNATURE_VERIFICATION"
	case "384":
		return "SESSION_FIXATION"
	case "522":
		return "CREDENTIAL_EXPOSURE"
	case "798":
		return "HARDCODED_CREDENTIALS"
	case "862":
		return "MISSING_AUTHORIZATION"
	}
	return ""
}

func weaknessOfResources(number string) string {
	switch number {
	case "59":
		return "LINK_FOLLOWING"
	case "362", "367":
		return "RACE_CONDITION"
	case "400", "409", "770", "789":
		return "RESOURCE_CONSUMPTION"
	case "404", "772":
		return "RESOURCE_LEAK"
	case "407":
		return "ALGORITHMIC_COMPLEXITY"
	case "426", "427":
		return "UNTRUSTED_SEARCH_PATH"
	case "506":
		return "MALICIOUS_CODE"
	case "617":
		return "REACHABLE_ASSERTION"
	case "674":
		return "UNCONTROLLED_RECURSION"
	case "754", "755":
		return "IMPROPER_ERROR_HANDLING"
	case "776":
		return "XML_ENTITY_EXPANSION"
	case "835":
		return "INFINITE_LOOP"
	case "1333":
		return "REGULAR_EXPRESSION_DENIAL"
	}
	return ""
}
