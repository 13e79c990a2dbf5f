package cloudapi

import (
	"container/list"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	defaultRate = 20
	maxBuckets  = 4096
)

// limiter holds back accounts that call an action too often. It keeps a bounded
// number of buckets and forgets the one that was unused for longest.
type limiter struct {
	mu      sync.Mutex
	rate    float64
	burst   int
	buckets map[bucketKey]*list.Element
	recent  *list.List // of *bucket, most recently used first
}

type bucketKey struct {
	account int64
	action  string
}

// bucket is the state of one account and action.
type bucket struct {
	key    bucketKey
	tokens *rate.Limiter
	second int64 // that seen counts in
	seen   int
}

// newLimiter makes a limiter; perSecond is as in Options.RateLimit.
func newLimiter(perSecond float64, burst int) *limiter {
	if perSecond == 0 {
		perSecond = defaultRate
	}
	if burst <= 0 {
		burst = int(math.Ceil(max(perSecond, 0) * 1.25))
	}
	return &limiter{rate: perSecond, burst: burst, buckets: map[bucketKey]*list.Element{}, recent: list.New()}
}

// allow counts a request and tells whether it may go on.
func (l *limiter) allow(account int64, action string, now time.Time) *Error {
	if l.rate < 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(bucketKey{account, action})
	if b.second != now.Unix() {
		b.second, b.seen = now.Unix(), 0
	}
	b.seen++
	if b.tokens.AllowN(now, 1) {
		return nil
	}
	return NewError(codeRequestLimit,
		"Your request rate for the action is too high: %d requests within this second, at most %v a second are allowed.",
		"该接口请求频率过高：本秒内已请求%d次，每秒最多允许%v次。", b.seen, l.rate)
}

func (l *limiter) bucket(key bucketKey) *bucket {
	if e := l.buckets[key]; e != nil {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(l.buckets) >= maxBuckets {
		oldest := l.recent.Remove(l.recent.Back()).(*bucket)
		delete(l.buckets, oldest.key)
	}
	b := &bucket{key: key, tokens: rate.NewLimiter(rate.Limit(l.rate), l.burst)}
	l.buckets[key] = l.recent.PushFront(b)
	return b
}
