package scan

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/inspect"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

var errImageRemoved = errors.New("scan: the image was removed from the list")

// failure turns an error into the outcome of an item: a short code and words
// for people. limit is the error of the item's own context, set when its time
// ran out. A fault of our own storage is no outcome; it is returned.
func (s *Service) failure(item *store.Item, err, limit error) (*result, error) {
	var ours *storageFault
	switch {
	case errors.Is(limit, context.DeadlineExceeded):
		return s.outOfTime(), nil
	case errors.As(err, &ours):
		return nil, err
	}
	return s.explain(item, err), nil
}

func (s *Service) outOfTime() *result {
	return &result{
		code:   "Timeout",
		reason: fmt.Sprintf("the image took longer than the %s one image may take", s.cfg.ItemLimit),
		advice: "scan it again at a quieter time; layers that were finished are not read again",
	}
}

func givenUp() *result {
	return &result{
		code:   "GivenUp",
		reason: fmt.Sprintf("the server failed or was stopped %d times while it scanned the image", maxAttempts),
		advice: "see the server's log, then scan the image again",
	}
}

// explain puts an error that is the image's or the registry's into words.
func (s *Service) explain(item *store.Item, err error) *result {
	if r := registryFailure(err); r != nil {
		return r
	}
	var broken *inspect.Error
	if errors.As(err, &broken) {
		return &result{code: broken.Code, reason: broken.Error(), advice: "push the image again; if the failure stays, check the storage of the registry"}
	}
	if errors.Is(err, errImageRemoved) {
		return &result{code: "ImageGone", reason: "the image was removed from the list while it waited", refund: true}
	}
	if errors.Is(err, registry.ErrNotImage) {
		return &result{code: "NotImage", reason: "the tag no longer points to a container image", advice: "synchronise the registry", refund: true}
	}
	s.cfg.Logger.Error("item failed for a reason without words", "item", item.ID, "error", err.Error())
	return &result{code: "Failed", reason: err.Error(), advice: "see the server's log", refund: true}
}

func registryFailure(err error) *result {
	var f *registry.Failure
	if !errors.As(err, &f) {
		return nil
	}
	return &result{code: f.Code(), reason: f.Reason, advice: f.Solution, refund: true}
}
