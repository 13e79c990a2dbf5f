package inventory

import (
	"fmt"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dogwatch/internal/facts"
)

// writer draws the entries of one layer, applies them to the model one after
// the other, and notes the facts an inspector would find. It draws no archive
// whose meaning depends on more than the rules: no entry replaces what an
// earlier one of the same layer wrote or went through.
type writer struct {
	*rapid.T
	model *model
	layer int
	facts facts.Layer
	raw   []string // paths written, as written
	fixed []string // real paths written, gone through or linked to
}

func drawPath(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "path")
	return path.Join(parts...)
}

// place checks that an entry may stand at a path and tells its real path.
func (w *writer) place(p string, dir bool) (real string, ok bool) {
	real, through, ok := w.model.real(p, false)
	slices.Sort(through)
	if len(slices.Compact(slices.Clone(through))) < len(through) {
		return "", false // round a loop
	}
	if slices.ContainsFunc(through, func(l string) bool { return l == real || isBelow(l, real) }) {
		return "", false // takes the place of its own way
	}
	if !ok || slices.ContainsFunc(w.raw, func(q string) bool { return q == p || isBelow(q, p) }) {
		return "", false
	}
	for _, q := range w.fixed {
		if q == real || isBelow(q, real) && !(dir && w.model.files[real].kind == "d") {
			return "", false
		}
	}
	w.raw = append(w.raw, p)
	w.fixed = append(append(w.fixed, through...), real)
	return real, true
}

func (w *writer) put(p string, f modelFile) bool {
	real, ok := w.place(p, f.kind == "d")
	if !ok {
		return false
	}
	f.layer = w.layer
	if f.kind == "d" {
		w.facts.Dirs = append(w.facts.Dirs, facts.PathHash(p))
		if w.model.files[real].kind == "d" {
			return true
		}
	} else {
		w.facts.NonDirs = append(w.facts.NonDirs, facts.PathHash(p))
	}
	w.model.remove(real, true, w.layer+1)
	if kindOf(real) == facts.KindAPK {
		f.packages = slices.Compact(slices.Sorted(slices.Values(f.packages)))
	}
	w.model.files[real] = f
	return true
}

func (w *writer) file() {
	p := drawPath(w.T)
	f := modelFile{kind: "f", id: fmt.Sprintf("s%d-%d", w.layer, len(w.raw))}
	for _, name := range []string{"x=1", "y=1", "z=1"} {
		if rapid.Bool().Draw(w.T, name) {
			f.packages = append(f.packages, name)
		}
	}
	if !w.put(p, f) {
		return
	}
	w.facts.Secrets = append(w.facts.Secrets, facts.Secret{Rule: f.id, Path: p})
	if len(f.packages) > 0 {
		// What a file is called decides its kind; a link on the way never changes the last name.
		w.facts.Packages = append(w.facts.Packages, packageFile(w.T, kindOf(p), p, f.packages))
	}
}

func (w *writer) symlink() {
	p, target := drawPath(w.T), drawPath(w.T)
	if rapid.IntRange(0, 9).Draw(w.T, "to the root") == 0 {
		target = ""
	}
	if w.put(p, modelFile{kind: "l", target: target}) {
		w.facts.Symlinks = append(w.facts.Symlinks, facts.Link{Path: p, Target: target})
	}
}

func (w *writer) hardlink() {
	p, target := drawPath(w.T), drawPath(w.T)
	real, through, ok := w.model.real(target, false)
	f := w.model.files[real]
	if !ok || f.kind != "f" || len(w.goesThroughOwn(target)) > 0 {
		return
	}
	if kindOf(p) != kindOf(real) {
		// Only the database's own name makes a database; an npm file stays one anywhere.
		return
	}
	w.fixed = append(append(w.fixed, through...), real)
	if w.put(p, f) {
		w.facts.Hardlinks = append(w.facts.Hardlinks, facts.Link{Path: p, Target: target})
	}
}

// goesThroughOwn lists the links of this layer that a path leads through.
func (w *writer) goesThroughOwn(p string) []string {
	_, through, _ := w.model.real(p, true)
	return slices.DeleteFunc(through, func(l string) bool { return w.model.files[l].layer < w.layer })
}

func (w *writer) whiteout() {
	p := drawPath(w.T)
	real, through, ok := w.model.real(p, false)
	if _, exists := w.model.files[real]; !ok || !exists || w.pinned(real) {
		return
	}
	for _, l := range through {
		if w.model.files[l].layer == w.layer {
			return
		}
	}
	w.raw = append(w.raw, p)
	w.fixed = append(w.fixed, through...)
	w.facts.Whiteouts = append(w.facts.Whiteouts, p)
	w.model.remove(real, true, w.layer)
}

func (w *writer) opaque() {
	p := drawPath(w.T)
	real, through, ok := w.model.real(p, true)
	if !ok || w.model.files[real].kind != "d" || w.pinned(real) || len(w.goesThroughOwn(p)) > 0 {
		return
	}
	w.raw = append(w.raw, p)
	w.fixed = append(w.fixed, through...)
	w.facts.Opaques = append(w.facts.Opaques, p)
	w.model.remove(real, false, w.layer)
}

// pinned tells whether something under a path was linked to or gone through.
func (w *writer) pinned(real string) bool {
	return slices.ContainsFunc(w.fixed, func(q string) bool {
		return (q == real || isBelow(q, real)) && w.model.files[q].layer < w.layer
	})
}

func drawLayer(t *rapid.T, m *model, layer int) *facts.Layer {
	w := &writer{T: t, model: m, layer: layer}
	for range rapid.IntRange(0, 12).Draw(t, "entries") {
		switch rapid.IntRange(0, 7).Draw(t, "entry") {
		case 0, 1, 2:
			w.file()
		case 3:
			w.put(drawPath(t), modelFile{kind: "d"})
		case 4:
			w.symlink()
		case 5:
			w.hardlink()
		case 6:
			w.whiteout()
		case 7:
			w.opaque()
		}
	}
	m.settle(layer)
	return sealed(&w.facts)
}

func TestAssembleAgreesWithAFileSystem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		var layers []Layer
		for i := range rapid.IntRange(0, 5).Draw(t, "layers") {
			layers = append(layers, Layer{Facts: drawLayer(t, m, i)})
			v := Assemble(layers)
			secrets := []string{}
			for _, s := range v.Secrets {
				secrets = append(secrets, fmt.Sprintf("%s %s@%d", s.Path, s.Rule, s.Layer))
			}
			slices.Sort(secrets)
			if diff := cmp.Diff(m.secrets(), secrets); diff != "" {
				t.Fatalf("after layer %d, visible files (-model +inventory):\n%s", i, diff)
			}
			if diff := cmp.Diff(m.packages(), packagesIn(v)); diff != "" {
				t.Fatalf("after layer %d, packages (-model +inventory):\n%s", i, diff)
			}
		}
	})
}

func TestAssembleIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		var layers []Layer
		for i := range rapid.IntRange(0, 5).Draw(t, "layers") {
			layers = append(layers, Layer{Facts: drawLayer(t, m, i)})
		}
		if diff := cmp.Diff(Assemble(layers), Assemble(layers)); diff != "" {
			t.Fatalf("two inventories of the same layers differ:\n%s", diff)
		}
	})
}
