package finding_test

import (
	"testing"

	"dogwatch/internal/finding"
)

// The counts of an image row change with a scan only; so do its lists, for as
// long as the snapshot of that scan is kept.
func TestListsAgreeWithTheCountsAfterAnImport(t *testing.T) {
	r := newRig(t, record("CVE-2025-0001", "left", "2.0.0", critical))
	content := r.content(revision, nil, npm("sha256:a", "left", "1.5.0"))
	r.assess(content)
	r.publish(record("CVE-2025-0002", "left", "2.0.0", high))
	if got := r.listed(); got != 1 || got != r.image.VulCnt {
		t.Errorf("after an import the list has %d vulnerabilities and the row counts %d, want 1", got, r.image.VulCnt)
	}
	// A new process opens the former snapshot by its name.
	r.service = finding.New(finding.Options{Store: r.store, Snapshots: r.reopened(), Revision: revision})
	if got := r.listed(); got != 1 {
		t.Errorf("after a restart the list has %d vulnerabilities, want 1", got)
	}
	if a := r.assess(content); a.VulCnt != 2 || r.listed() != 2 {
		t.Errorf("after the next scan: %d counted and %d listed, want 2", a.VulCnt, r.listed())
	}
}

func TestListsFollowTheSnapshotInForceOnceTheirOwnIsGone(t *testing.T) {
	r := newRig(t, record("CVE-2025-0001", "left", "2.0.0", critical))
	r.assess(r.content(revision, nil, npm("sha256:a", "left", "1.5.0")))
	r.publish(record("CVE-2025-0002", "left", "2.0.0", high))
	r.publish(record("CVE-2025-0003", "left", "2.0.0", high))
	r.service = finding.New(finding.Options{Store: r.store, Snapshots: r.reopened(), Revision: revision})
	if got := r.listed(); got != 3 {
		t.Errorf("the list has %d vulnerabilities, want the 3 of the snapshot in force", got)
	}
}
