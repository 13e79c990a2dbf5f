package e2e

import (
	"testing"

	"dogwatch/internal/registry/registrytest"
)

// TestHarbor adds a Harbor by its API (projects, repositories, artifacts;
// double-encoded names; a robot account) and scans what it holds.
func TestHarbor(t *testing.T) {
	harbor := registrytest.FakeHarbor(t)
	layer := registrytest.Layer(t, map[string]string{"srv/node_modules/minimist/package.json": `{"name":"minimist","version":"1.2.0"}`})
	harbor.AddProject("shop", false)
	registrytest.PushImage(t, harbor.Server, "shop/deep/er/web:1", registrytest.Image(t, layer))
	s := startServer(t, nil)
	api := s.client()
	api.addRegistry(map[string]any{
		"Name": "harbor", "Username": registrytest.HarborUser, "Password": registrytest.HarborPassword, "Url": harbor.URL,
		"RegistryType": "harbor", "RegistryVersion": "V2", "NetType": "private",
	})
	var started struct{ TaskID uint64 }
	api.call("CreateAssetImageRegistryScanTask", map[string]any{"All": true}, &started)
	if got := api.waitRun(started.TaskID); got != "SCANNED" {
		t.Fatalf("run ended as %s", got)
	}
	var list struct {
		List []struct {
			Id                                           uint64
			RegistryType, Namespace, ImageName, ImageTag string
			ScanStatus                                   string
			VulCnt                                       int
		}
	}
	api.call("DescribeAssetImageRegistryList", nil, &list)
	if len(list.List) != 1 {
		t.Fatalf("%d images, want 1", len(list.List))
	}
	row := list.List[0]
	if row.RegistryType != "harbor" || row.Namespace != "shop" || row.ImageName != "deep/er/web" || row.ImageTag != "1" {
		t.Errorf("image %+v, want shop / deep/er/web : 1 of a harbor", row)
	}
	if row.ScanStatus != "SCANNED" || row.VulCnt == 0 {
		t.Errorf("image is %s with %d vulnerabilities, want it scanned, and the ones of minimist", row.ScanStatus, row.VulCnt)
	}
}
