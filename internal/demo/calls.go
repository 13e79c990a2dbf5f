package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// image is what the demo reads of a row of DescribeAssetImageRegistryList.
type image struct {
	ID        uint64 `json:"Id"`
	Namespace string
	ImageName string
	ImageTag  string
	OsName    string
	VulCnt    uint64
	VirusCnt  uint64
	RiskCnt   uint64
	Reason    *string
}

func (i image) name() string {
	if i.Namespace == "" {
		return i.ImageName + ":" + i.ImageTag
	}
	return i.Namespace + "/" + i.ImageName + ":" + i.ImageTag
}

// call calls an action and decodes the answer's Response into out (nil: ignored).
func (s *stage) call(ctx context.Context, action string, params map[string]any, out any) error {
	if params == nil {
		params = map[string]any{}
	}
	body, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("demo: %s: %w", action, err)
	}
	answer, err := s.api.Call(ctx, action, body)
	if err != nil {
		return fmt.Errorf("demo: %s: %w", action, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("demo: answer of %s: %w", action, err)
	}
	return nil
}

func (s *stage) addRegistry(ctx context.Context) error {
	var added struct {
		HealthCheckErr, NameRepeatErr string
		RegistryID                    int64 `json:"RegistryId"`
	}
	err := s.call(ctx, "AddAssetImageRegistryRegistryDetail", map[string]any{
		"Name": "samples", "Username": "", "Password": "", "Url": "http://" + s.registry,
		"RegistryType": "oci", "NetType": "private",
	}, &added)
	if err != nil {
		return err
	}
	if problem := added.HealthCheckErr + added.NameRepeatErr; problem != "" {
		return fmt.Errorf("demo: the sample registry was not added: %s", problem)
	}
	return s.poll(ctx, "the synchronisation", func(ctx context.Context) (bool, error) {
		var state struct{ Status, Err string }
		if err := s.call(ctx, "DescribeAssetImageRegistryAssetStatus", nil, &state); err != nil {
			return false, err
		}
		if state.Status == "failed" {
			return false, fmt.Errorf("demo: synchronising: %s", state.Err)
		}
		return state.Status == "success", nil
	})
}

// license licenses every image.
func (s *stage) license(ctx context.Context) error {
	err := s.call(ctx, "ModifyImageAuthorized", map[string]any{
		"AllLocalImages": false, "AllRegistryImages": true, "UpdatedLocalImageCnt": 0,
		"UpdatedRegistryImageCnt": 1000, "ImageSourceType": "IMAGEALL",
	}, nil)
	if err != nil {
		return err
	}
	images, err := s.images(ctx)
	if err != nil {
		return err
	}
	s.say("Synchronised and licensed %d images.", len(images))
	return nil
}

func (s *stage) images(ctx context.Context) ([]image, error) {
	var page struct{ List []image }
	err := s.call(ctx, "DescribeAssetImageRegistryList", map[string]any{"Limit": 100}, &page)
	return page.List, err
}

// setWatch sets the timing task a few seconds ahead, in the server's zone.
func (s *stage) setWatch(ctx context.Context) error {
	loc, err := s.o.Config.Location()
	if err != nil {
		return err
	}
	start := time.Now().In(loc).Add(soon)
	params := map[string]any{
		"Enable": true, "ScanPeriod": 1, "ScanTime": start.Format("15:04:05"),
		"ScanEndTime": start.Add(4 * time.Hour).Format("15:04"),
		"ScanType":    []string{"CVE", "VIRUS", "RISK"}, "ScanScope": 0,
	}
	if err := s.call(ctx, "UpdateImageRegistryTimingScanTask", params, nil); err != nil {
		return err
	}
	s.say("Timing task set: every day from %s to %s (%s), CVE, VIRUS and RISK, all licensed images.",
		params["ScanTime"], params["ScanEndTime"], loc)
	return nil
}

// pollEvery is how often the demo asks how far things are; the API allows 20
// requests a second.
const pollEvery = 200 * time.Millisecond

// poll asks until done, for a minute at most.
func (s *stage) poll(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := done(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("demo: waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
