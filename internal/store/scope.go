package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Value stores a scope as JSON.
func (s Scope) Value() (driver.Value, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("store: encode scope: %w", err)
	}
	return text(string(b)), nil
}

// Scan reads a stored scope.
func (s *Scope) Scan(src any) error {
	*s = Scope{}
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return s.decode([]byte(v))
	case []byte:
		return s.decode(v)
	}
	return fmt.Errorf("store: a scope cannot be read from a %T", src)
}

func (s *Scope) decode(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, s); err != nil {
		return fmt.Errorf("store: decode scope: %w", err)
	}
	return nil
}

// ScopeQuery is the images a scope means (reference E4): always licensed ones.
// Kind 1 takes the chosen ones; kinds 0 and 2 take all that pass the narrowing
// conditions, and kind 2 without any takes the newest image of each repository
// and every image that a container runs. Exclusions come last.
func ScopeQuery(accountID int64, s Scope) ImageQuery {
	licensed := true
	q := ImageQuery{AccountID: accountID, Licensed: &licensed, ExcludeIDs: s.ExcludeIDs, Filters: s.Filters}
	if s.Kind == 1 {
		q.IDs, q.Names = s.IDs, s.Names
		if q.IDs == nil {
			q.IDs = []int64{}
		}
		return q
	}
	q.RegistryTypes, q.Namespaces = s.RegistryTypes, s.Namespaces
	q.Latest, q.Running = s.Latest, s.ContainerRunning
	q.Recommended = s.Kind == 2 && !s.narrowed()
	return q
}

// narrowed tells whether the scope has conditions of its own.
func (s Scope) narrowed() bool {
	return len(s.RegistryTypes) > 0 || len(s.Namespaces) > 0 || s.Latest || s.ContainerRunning
}
