package match

import "strings"

const categoryOther = "OTHER"

// categoryOf names the class of weakness: by the first CWE that has words, else
// by a phrase of the text.
func categoryOf(cwes []string, text string) string {
	for _, cwe := range cwes {
		if name := categoryOfCWE(cwe); name != "" {
			return name
		}
	}
	text = strings.ToLower(text)
	for _, p := range [...][2]string{
		{"out-of-bounds write", "OUT_OF_BOUNDS_WRITE"}, {"out of bounds write", "OUT_OF_BOUNDS_WRITE"},
		{"out-of-bounds read", "OUT_OF_BOUNDS_READ"}, {"out of bounds read", "OUT_OF_BOUNDS_READ"},
		{"heap-based buffer overflow", "HEAP_BUFFER_OVERFLOW"}, {"heap buffer overflow", "HEAP_BUFFER_OVERFLOW"},
		{"stack-based buffer overflow", "STACK_BUFFER_OVERFLOW"}, {"stack overflow", "STACK_BUFFER_OVERFLOW"},
		{"buffer overflow", "BUFFER_OVERFLOW"}, {"use-after-free", "USE_AFTER_FREE"}, {"use after free", "USE_AFTER_FREE"},
		{"double free", "DOUBLE_FREE"}, {"integer overflow", "INTEGER_OVERFLOW"}, {"null pointer dereference", "NULL_POINTER_DEREFERENCE"},
		{"sql injection", "SQL_INJECTION"}, {"command injection", "COMMAND_INJECTION"}, {"code injection", "CODE_INJECTION"},
		{"cross-site scripting", "CROSS_SITE_SCRIPTING"}, {"cross-site request forgery", "CROSS_SITE_REQUEST_FORGERY"},
		{"server-side request forgery", "SERVER_SIDE_REQUEST_FORGERY"}, {"path traversal", "PATH_TRAVERSAL"},
		{"directory traversal", "PATH_TRAVERSAL"}, {"deserialization", "UNSAFE_DESERIALIZATION"}, {"race condition", "RACE_CONDITION"},
		{"memory leak", "MEMORY_LEAK"}, {"prototype pollution", "PROTOTYPE_POLLUTION"}, {"open redirect", "OPEN_REDIRECT"},
		{"denial of service", "DENIAL_OF_SERVICE"},
	} {
		if strings.Contains(text, p[0]) {
			return p[1]
		}
	}
	return categoryOther
}
