package inventory

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dogwatch/internal/facts"
)

func TestVisibleFiles(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []string
		want   []string
	}{
		{"a file stays visible", []string{"f a/b", "f c"}, []string{"a/b@0", "c@1"}},
		{"a rewritten file belongs to the upper layer", []string{"f a/b", "f a/b"}, []string{"a/b@1"}},
		{"a whiteout deletes a file", []string{"f a/b\nf a/c", "w a/b"}, []string{"a/c@0"}},
		{"a whiteout deletes a subtree", []string{"f a/b/c\nf a/bc", "w a/b"}, []string{"a/bc@0"}},
		{"a whiteout spares its own layer", []string{"f a/b", "w a\nf a/c"}, []string{"a/c@1"}},
		{"a deleted file comes back", []string{"f a", "w a", "f a"}, []string{"a@2"}},
		{"an opaque directory hides the lower layers", []string{"f a/b\nf c", "d a\no a\nf a/d"}, []string{"a/d@1", "c@0"}},
		{"an opaque root hides everything", []string{"f a/b\nf c", "o .\nf d"}, []string{"d@1"}},
		{"a file replaces a directory", []string{"f a/b/c", "f a"}, []string{"a@1"}},
		{"a file without facts replaces a directory", []string{"f a/b/c\nf d", "- a"}, []string{"d@0"}},
		{"a link replaces a directory", []string{"f a/b\nf c/d", "l a -> c"}, []string{"c/d@0"}},
		{"a directory replaces a file", []string{"f a", "d a\nf a/b"}, []string{"a/b@1"}},
		{"a directory keeps a directory's content", []string{"f a/b", "d a\nf a/c"}, []string{"a/b@0", "a/c@1"}},
		{"a directory replaces a link, not its target", []string{"f usr/lib/x\nl lib -> usr/lib", "d lib\nf lib/y", "w lib/x"},
			[]string{"lib/y@1", "usr/lib/x@0"}},
		{"a hard link shows its target's facts", []string{"f a\nh b -> a"}, []string{"a@0", "b@0"}},
		{"a hard link outlives its target", []string{"f a\nh b -> a", "w a"}, []string{"b@0"}},
		{"a hard link to a lower layer", []string{"f a", "h b -> a"}, []string{"a@0", "b@1"}},
		{"a chain of hard links", []string{"h c -> b\nh b -> a\nf a"}, []string{"a@0", "b@0", "c@0"}},
		{"hard links in a circle", []string{"f a\nh b -> c\nh c -> b"}, []string{"a@0"}},
		{"a path through a link", []string{"l lib -> usr/lib\nf lib/x"}, []string{"usr/lib/x@0"}},
		{"a path through a lower link", []string{"d usr/lib\nl lib -> usr/lib", "f lib/x"}, []string{"usr/lib/x@1"}},
		{"an entry through a link overwrites", []string{"f usr/lib/x\nl lib -> usr/lib", "- lib/x"}, []string{}},
		{"an entry through two links overwrites", []string{"f z/lib/x\nl usr -> z\nl lib -> usr/lib", "- lib/x"}, []string{}},
		{"an entry through a link in a link overwrites", []string{"f z/y/x\nl a -> z\nl z/b -> z/y", "- a/b/x"}, []string{}},
		{"a whiteout through a link", []string{"f usr/lib/x\nl lib -> usr/lib", "w lib/x"}, []string{}},
		{"an opaque directory through a link", []string{"f usr/lib/x\nl lib -> usr/lib", "o lib\nf lib/y"}, []string{"usr/lib/y@1"}},
		{"a whiteout of a link spares the target", []string{"f usr/lib/x\nl lib -> usr/lib", "w lib", "f lib/x"},
			[]string{"lib/x@2", "usr/lib/x@0"}},
		{"links in a circle are not followed", []string{"l a -> b\nl b -> a\nf a/x", "f c"}, []string{"a/x@0", "c@1"}},
		{"a link to itself is not followed", []string{"l a -> a\nf a/x"}, []string{"a/x@0"}},
		{"a link into itself is not followed", []string{"f a/x\nl a/self -> a", "- a/self/x"}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, secretsIn(assemble(t, tt.layers...))); diff != "" {
				t.Errorf("visible files (-want +got):\n%s", diff)
			}
		})
	}
}

const status = "dpkg var/lib/dpkg/status "

func TestPackages(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []string
		want   []string
	}{
		{"a rewritten database counts once and packages keep their layer",
			[]string{status + "a=1 b=1", status + "a=1 b=2 c=1"},
			[]string{"var/lib/dpkg/status a=1@0", "var/lib/dpkg/status b=2@1", "var/lib/dpkg/status c=1@1"}},
		{"a package removed and installed again belongs to the later layer",
			[]string{status + "a=1 b=1", status + "a=1", status + "a=1 b=1"},
			[]string{"var/lib/dpkg/status a=1@0", "var/lib/dpkg/status b=1@2"}},
		{"a deleted database is a break", []string{status + "a=1", "w var/lib/dpkg", status + "a=1"},
			[]string{"var/lib/dpkg/status a=1@2"}},
		{"layers that leave the database alone are no break", []string{status + "a=1", "f x", status + "a=1 b=1"},
			[]string{"var/lib/dpkg/status a=1@0", "var/lib/dpkg/status b=1@2"}},
		{"a database replaced by an unreadable one is gone", []string{status + "a=1", "- var/lib/dpkg/status"}, []string{}},
		{"a new database format takes the place of the old one",
			[]string{"rpm var/lib/rpm/Packages a=1 b=1", "rpm var/lib/rpm/rpmdb.sqlite a=1 b=2"},
			[]string{"var/lib/rpm/rpmdb.sqlite a=1@0", "var/lib/rpm/rpmdb.sqlite b=2@1"}},
		{"a database reached through a link is the same database",
			[]string{"d usr/lib\nl lib -> usr/lib\napk lib/apk/db/installed a=1", "apk usr/lib/apk/db/installed a=1 b=1"},
			[]string{"usr/lib/apk/db/installed a=1@0", "usr/lib/apk/db/installed b=1@1"}},
		{"status.d has one file for each package",
			[]string{"dpkg.d var/lib/dpkg/status.d/a a=1\ndpkg.d var/lib/dpkg/status.d/b b=1", "dpkg.d var/lib/dpkg/status.d/b b=2", "w var/lib/dpkg/status.d/a"},
			[]string{"var/lib/dpkg/status.d/b b=2@1"}},
		{"status and status.d naming one package count once",
			[]string{"dpkg.d var/lib/dpkg/status.d/a a=1\n" + status + "a=1 b=1"},
			[]string{"var/lib/dpkg/status a=1@0", "var/lib/dpkg/status b=1@0"}},
		{"two databases of one manager in two places are united",
			[]string{"rpm usr/lib/sysimage/rpm/rpmdb.sqlite a=1", "rpm var/lib/rpm/rpmdb.sqlite a=1 b=1"},
			[]string{"usr/lib/sysimage/rpm/rpmdb.sqlite a=1@0", "var/lib/rpm/rpmdb.sqlite b=1@1"}},
		{"dpkg's status-old, a hard link, is no database", []string{status + "a=1\nh var/lib/dpkg/status-old -> var/lib/dpkg/status", "w var/lib/dpkg/status"},
			[]string{}},
		{"language packages count for each path",
			[]string{"npm app/a/package.json a=1\nnpm app/b/package.json a=1"},
			[]string{"app/a/package.json a=1@0", "app/b/package.json a=1@0"}},
		{"a language package copied up keeps its layer", []string{"npm app/package.json a=1", "npm app/package.json a=1"},
			[]string{"app/package.json a=1@0"}},
		{"an updated language package belongs to the upper layer", []string{"npm app/package.json a=1", "npm app/package.json a=2"},
			[]string{"app/package.json a=2@1"}},
		{"a deleted language package is gone", []string{"npm app/package.json a=1\nnpm b/package.json b=1", "w app"},
			[]string{"b/package.json b=1@0"}},
		{"a hard link to a jar is a jar", []string{"java a.jar g:a=1\nh b.jar -> a.jar"}, []string{"a.jar g:a=1@0", "b.jar g:a=1@0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, packagesIn(assemble(t, tt.layers...))); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArchitecturesAreDifferentPackages(t *testing.T) {
	layer := func(arches ...string) Layer {
		f := facts.PackageFile{Path: "var/lib/dpkg/status", Kind: facts.KindDpkg}
		for _, a := range arches {
			f.Packages = append(f.Packages, facts.Package{Name: "libc6", Version: "2.36", Arch: a})
		}
		return Layer{Facts: &facts.Layer{Packages: []facts.PackageFile{f}, NonDirs: []uint64{facts.PathHash(f.Path)}}}
	}
	v := Assemble([]Layer{layer("amd64"), layer("amd64", "i386")})
	got := []string{}
	for _, p := range v.Packages {
		got = append(got, fmt.Sprintf("%s@%d", p.Arch, p.Layer))
	}
	if diff := cmp.Diff([]string{"amd64@0", "i386@1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDistribution(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []string
		want   string // "PATH ID"
	}{
		{"none", []string{"f a"}, ""},
		{"from a lower layer than the database", []string{"os usr/lib/os-release debian", status + "a=1"}, "usr/lib/os-release debian"},
		{"from a higher layer than the database", []string{status + "a=1", "os etc/os-release debian"}, "etc/os-release debian"},
		{"the topmost version of the file", []string{"os etc/os-release debian", "os etc/os-release ubuntu"}, "etc/os-release ubuntu"},
		{"etc before usr/lib", []string{"os etc/os-release alpine", "os usr/lib/os-release debian"}, "etc/os-release alpine"},
		{"usr/lib when etc is deleted", []string{"os usr/lib/os-release debian", "os etc/os-release alpine", "w etc/os-release"}, "usr/lib/os-release debian"},
		{"etc linked to usr/lib", []string{"os usr/lib/os-release debian\nl etc/os-release -> usr/lib/os-release"}, "usr/lib/os-release debian"},
		{"a hard link in etc", []string{"os usr/lib/os-release debian\nh etc/os-release -> usr/lib/os-release", "w usr/lib/os-release"}, "etc/os-release debian"},
		{"another place is better than none", []string{"os etc/initrd-release a", "os opt/os-release b"}, "opt/os-release b"},
		{"deleted", []string{"os etc/os-release debian", "w etc"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if v := assemble(t, tt.layers...); v.OS != nil {
				got = v.OS.Path + " " + v.OS.ID
			}
			if got != tt.want {
				t.Errorf("distribution = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestImageWithoutLayersIsEmpty(t *testing.T) {
	if diff := cmp.Diff(&Inventory{Layers: []LayerRef{}}, Assemble(nil)); diff != "" {
		t.Error(diff)
	}
}

func TestIncompleteLayersKeepTheirGaps(t *testing.T) {
	broken := facts.Gap{Code: "BrokenDatabase", Path: "var/lib/rpm/Packages", Reason: "page 3 is cut short", Parts: "CVE"}
	v := Assemble([]Layer{
		{Ref: LayerRef{Digest: "sha256:a"}, Facts: &facts.Layer{Gaps: []facts.Gap{broken}}},
		{Ref: LayerRef{Digest: "sha256:b"}},
		{Ref: LayerRef{Digest: "sha256:c"}, Facts: entries(t, "w var")},
	})
	if v.Complete() {
		t.Error("an image with gaps counts as complete")
	}
	want := []Gap{{Gap: broken, Layer: 0}, {Layer: 1, Gap: facts.Gap{
		Code: "NotInspected", Reason: "the layer was not inspected", Parts: "CVE,VIRUS,RISK",
	}}}
	if diff := cmp.Diff(want, v.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if len(v.Layers) != 3 || v.Layers[2].Digest != "sha256:c" {
		t.Errorf("layers = %v", v.Layers)
	}
}

func TestMalwareAndHashesFollowTheirFiles(t *testing.T) {
	base := &facts.Layer{
		Malware:   []facts.Malware{{Path: "lib/evil", Name: "Evil"}, {Path: "tmp/gone", Name: "Gone"}},
		Hashes:    []facts.FileHash{{Path: "lib/evil", SHA256: "aa"}},
		Hardlinks: []facts.Link{{Path: "bin/evil", Target: "lib/evil"}},
		Symlinks:  []facts.Link{{Path: "lib", Target: "usr/lib"}},
	}
	v := Assemble([]Layer{{Facts: base}, {Facts: entries(t, "w tmp/gone")}})
	got := []string{}
	for _, m := range v.Malware {
		got = append(got, m.Path+" "+m.Name)
	}
	for _, h := range v.Hashes {
		got = append(got, h.Path+" "+h.SHA256)
	}
	want := []string{"bin/evil Evil", "usr/lib/evil Evil", "bin/evil aa", "usr/lib/evil aa"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("malware and hashes (-want +got):\n%s", diff)
	}
	if base.Malware[0].Path != "lib/evil" {
		t.Error("assembling changed the facts, which are shared")
	}
}

// TestLinksBeyondTheBoundMakeTheLayerIncomplete builds what a hostile image
// would: links that give every directory more names than can be tried.
func TestLinksBeyondTheBoundMakeTheLayerIncomplete(t *testing.T) {
	f := &facts.Layer{}
	for i := range 200 {
		f.Symlinks = append(f.Symlinks, facts.Link{Path: fmt.Sprintf("l%d", i), Target: ""})
	}
	f.Secrets = []facts.Secret{{Path: "x"}}
	f.NonDirs = []uint64{1}
	v := Assemble([]Layer{{Facts: f}, {Facts: entries(t, "f y")}})
	if len(v.Gaps) == 0 || v.Gaps[0].Code != "TooManyLinks" {
		t.Errorf("gaps = %v, want TooManyLinks", v.Gaps)
	}
	if diff := cmp.Diff([]string{"x@0", "y@1"}, secretsIn(v)); diff != "" {
		t.Errorf("what was found must stay:\n%s", diff)
	}
}

func TestPathHashGoesOn(t *testing.T) {
	if got, want := extend(facts.PathHash("lib"), "/x"), facts.PathHash("lib/x"); got != want {
		t.Errorf("extend = %x, PathHash = %x", got, want)
	}
}

func BenchmarkAssemble(b *testing.B) {
	base := &facts.Layer{Symlinks: []facts.Link{{Path: "lib", Target: "usr/lib"}, {Path: "bin", Target: "usr/bin"}}}
	for i := range 20000 {
		p := fmt.Sprintf("usr/lib/d%d/f%d", i%500, i)
		base.Hashes = append(base.Hashes, facts.FileHash{Path: p})
		base.NonDirs = append(base.NonDirs, facts.PathHash(p))
	}
	layers := []Layer{{Facts: sealed(base)}}
	for i := range 40 {
		layers = append(layers, Layer{Facts: entries(b, fmt.Sprintf("f app/f%d", i))})
	}
	for b.Loop() {
		Assemble(layers)
	}
}
