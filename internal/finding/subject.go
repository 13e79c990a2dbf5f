package finding

import (
	"context"
	"errors"
	"fmt"

	"dogwatch/internal/store"
)

// subject is an image with the judgement of the content that was assessed last.
type subject struct {
	image     *store.ImageRow
	content   *store.Content // nil: never assessed
	judgement *judgement     // nil: never assessed
}

// subject reads an image of an account; store.ErrNotFound (wrapped) if the
// account has none of that id.
func (s *Service) subject(ctx context.Context, accountID, imageID int64) (*subject, error) {
	image, err := s.o.Store.Image(ctx, accountID, imageID)
	if err != nil {
		return nil, fmt.Errorf("finding: reading image %d: %w", imageID, err)
	}
	if image.AssessedDigest == "" {
		return &subject{image: image}, nil
	}
	content, err := s.o.Store.Content(ctx, accountID, image.AssessedDigest)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("finding: image %d was assessed as %s, whose content is not stored", imageID, image.AssessedDigest)
	}
	if err != nil {
		return nil, fmt.Errorf("finding: reading content %s: %w", image.AssessedDigest, err)
	}
	snapshot, err := s.assessedBy(ctx, image)
	if err != nil {
		return nil, err
	}
	judgement, err := s.judge(ctx, content, snapshot)
	if err != nil {
		return nil, err
	}
	return &subject{image: image, content: content, judgement: judgement}, nil
}
