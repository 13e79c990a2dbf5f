package finding

import (
	"strconv"
	"strings"
)

// Levels of a finding.
const (
	Low      = 1
	Medium   = 2
	High     = 3
	Critical = 4
)

// ParseLevel reads a level as number or word, in any case and in both spellings
// of medium; ok is false for anything else.
func ParseLevel(s string) (level int, ok bool) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "1", "LOW":
		return Low, true
	case "2", "MEDIUM", "MIDDLE":
		return Medium, true
	case "3", "HIGH":
		return High, true
	case "4", "CRITICAL":
		return Critical, true
	}
	return 0, false
}

// LevelText is a level in the number form of the registry lists.
func LevelText(level int) string { return strconv.Itoa(level) }

// shown is the level a finding has in lists and counts: unknown reads as low.
func shown(level int) int {
	return min(max(level, Low), Critical)
}
