package account

import (
	"sync"
	"time"

	"dogwatch/internal/clock"
	"dogwatch/internal/cloudapi"
)

const (
	cacheLife = 2 * time.Second
	cacheSize = 1024
)

// keyCache remembers opened keys for a moment, so that a busy client costs one
// look-up in two seconds. Unknown keys are not remembered.
type keyCache struct {
	clock clock.Clock

	mu         sync.Mutex
	keys       map[string]cachedKey
	generation int64 // grows with each drop
}

type cachedKey struct {
	key   cloudapi.Key
	until time.Time
}

func newKeyCache(c clock.Clock) *keyCache {
	return &keyCache{clock: c, keys: map[string]cachedKey{}}
}

// get returns a key, or the generation under which a key read now may be put.
func (c *keyCache) get(secretID string) (key cloudapi.Key, generation int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.keys[secretID]
	if ok && c.clock.Now().Before(k.until) {
		return k.key, c.generation, true
	}
	return cloudapi.Key{}, c.generation, false
}

// put remembers a key, unless a key was dropped since it was read.
func (c *keyCache) put(k cloudapi.Key, generation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if len(c.keys) >= cacheSize {
		clear(c.keys)
	}
	c.keys[k.SecretID] = cachedKey{key: k, until: c.clock.Now().Add(cacheLife)}
}

// drop forgets a key.
func (c *keyCache) drop(secretID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keys, secretID)
	c.generation++
}
