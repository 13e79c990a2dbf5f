package finding

import (
	"container/list"
	"sync"
)

// cache keeps the judgements used last. It is safe for concurrent use.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List // of *entry, most recent first
	byKey map[key]*list.Element
}

// key names a judgement; equal keys mean equal judgements.
type key struct {
	manifest string // digest
	snapshot string // "" no advisory data
	revision string // of the inspector
}

type entry struct {
	key   key
	value *judgement
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), byKey: make(map[key]*list.Element, size)}
}

func (c *cache) get(k key) (*judgement, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[k]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).value, true
}

func (c *cache) put(k key, v *judgement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[k]; ok {
		e.Value.(*entry).value = v
		c.order.MoveToFront(e)
		return
	}
	c.byKey[k] = c.order.PushFront(&entry{key: k, value: v})
	for c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*entry).key)
	}
}
