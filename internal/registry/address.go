package registry

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errAddress is returned by the dialer for addresses the policy refuses.
var errAddress = errors.New("address refused by policy")

// metadataAddresses are where clouds tell machines their credentials. Nothing
// else lives there, so no setting opens them.
var metadataAddresses = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
}

// privateAddresses are those netip has no word for.
var privateAddresses = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("fec0::/10"), // site-local of old
}

// addressPolicy decides which addresses may be reached. It is asked by the
// dialer after name resolution, so no name, redirect or second look-up gets
// around it.
type addressPolicy struct{ allowPrivate bool }

// control is a net.Dialer.Control.
func (p addressPolicy) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is no IP address", errAddress, address)
	}
	return p.check(at.Addr())
}

func (p addressPolicy) check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	for _, a := range append(embedded(addr), addr) {
		if inside(metadataAddresses, a) {
			return fmt.Errorf("%w: %s belongs to cloud metadata services", errAddress, addr)
		}
		if !p.allowPrivate && isPrivate(a) {
			return fmt.Errorf("%w: %s is not a public address", errAddress, addr)
		}
	}
	return nil
}

func isPrivate(a netip.Addr) bool {
	return !a.IsGlobalUnicast() || a.IsPrivate() || inside(privateAddresses, a)
}

func inside(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that an IPv6 address of NAT64, 6to4 or the
// IPv4-compatible form leads to.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() {
		return nil
	}
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("64:ff9b:1::/48").Contains(a):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[12:16]))}
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case netip.MustParsePrefix("::/96").Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		return []netip.Addr{netip.AddrFrom4([4]byte(b[12:16]))}
	}
	return nil
}
