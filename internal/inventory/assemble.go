package inventory

// Assemble lays layers over each other, base first, and tells what is visible.
// An image without layers has an empty inventory.
func Assemble(layers []Layer) *Inventory {
	t := newTree()
	v := &Inventory{Layers: make([]LayerRef, 0, len(layers))}
	for i, l := range layers {
		v.Layers = append(v.Layers, l.Ref)
		v.addGaps(i, l.Facts)
		if l.Facts == nil {
			continue
		}
		if !t.apply(i, l.Facts) {
			v.Gaps = append(v.Gaps, tooManyLinks(i))
		}
	}
	v.collect(t)
	return v
}
