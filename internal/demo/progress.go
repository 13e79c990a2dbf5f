package demo

import (
	"context"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// runStatus is what the demo reads of DescribeAssetImageRegistryScanStatusOneKey.
type runStatus struct {
	ImageTotal, ImageScanCnt uint64
	SuccessCount, RiskCount  uint64
	Schedule, ScanRemainTime uint64
	Status                   string
}

// watchRun shows the run until it has ended.
func (s *stage) watchRun(ctx context.Context) error {
	show, end := s.display()
	defer end()
	return s.poll(ctx, "the scheduled run", func(ctx context.Context) (bool, error) {
		var now runStatus
		if err := s.call(ctx, "DescribeAssetImageRegistryScanStatusOneKey", nil, &now); err != nil {
			return false, err
		}
		show(now)
		return now.Status != "NOT_SCAN" && now.Status != "SCANNING", nil
	})
}

// display draws a bar on a terminal and writes a line for each change elsewhere.
func (s *stage) display() (show func(runStatus), end func()) {
	if !s.o.Live {
		var last runStatus
		return func(now runStatus) {
			if now.Status == "NOT_SCAN" {
				return
			}
			if now.ImageScanCnt != last.ImageScanCnt || now.Status != last.Status {
				s.say("  %s: %d of %d images, %d with findings", now.Status, now.ImageScanCnt, now.ImageTotal, now.RiskCount)
			}
			last = now
		}, func() {}
	}
	bars := mpb.New(mpb.WithOutput(s.o.Out), mpb.WithWidth(50))
	var now runStatus
	bar := bars.AddBar(0,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return statusWord(now.Status) }, decor.WC{W: 10})),
		mpb.AppendDecorators(decor.CountersNoUnit("%d of %d images")),
	)
	return func(next runStatus) {
			now = next
			bar.SetTotal(int64(next.ImageTotal), false)
			bar.SetCurrent(int64(next.ImageScanCnt))
		}, func() {
			bar.SetTotal(-1, true)
			bars.Wait()
		}
}

func statusWord(status string) string {
	if status == "" || status == "NOT_SCAN" {
		return "waiting"
	}
	return status
}
