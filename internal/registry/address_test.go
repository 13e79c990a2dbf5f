package registry

import (
	"net/netip"
	"testing"
)

func TestAddressPolicy(t *testing.T) {
	const never, private, public = 0, 1, 2
	for address, class := range map[string]int{
		"169.254.169.254":        never,
		"169.254.0.23":           never,
		"::ffff:169.254.169.254": never,
		"64:ff9b::a9fe:a9fe":     never, // NAT64
		"2002:a9fe:a9fe::1":      never, // 6to4
		"fd00:ec2::254":          never,
		"fd20:ce::254":           never,
		"100.100.100.200":        never,
		"127.0.0.1":              private,
		"127.8.8.8":              private,
		"::1":                    private,
		"::":                     private,
		"0.0.0.0":                private,
		"10.1.2.3":               private,
		"172.16.0.1":             private,
		"192.168.1.1":            private,
		"100.64.0.1":             private,
		"198.18.0.1":             private,
		"255.255.255.255":        private,
		"224.0.0.1":              private,
		"fe80::1":                private,
		"fd12::1":                private,
		"fec0::1":                private,
		"ff02::1":                private,
		"::ffff:10.0.0.1":        private,
		"64:ff9b::7f00:1":        private,
		"::127.0.0.1":            private,
		"8.8.8.8":                public,
		"172.32.0.1":             public,
		"100.128.0.1":            public,
		"2606:4700:4700::1111":   public,
		"64:ff9b::808:808":       public,
	} {
		addr := netip.MustParseAddr(address)
		if got := (addressPolicy{}).check(addr) == nil; got != (class == public) {
			t.Errorf("%s allowed %v", address, got)
		}
		if got := (addressPolicy{allowPrivate: true}).check(addr) == nil; got != (class != never) {
			t.Errorf("%s allowed %v where private addresses are", address, got)
		}
	}
	if (addressPolicy{allowPrivate: true}).control("unix", "/run/docker.sock", nil) == nil {
		t.Error("a socket's path is no address, but was allowed")
	}
}
