package cloudapi

import (
	"errors"
	"net"
	"os"
)

// QuirkListener makes plain HTTP usable for TCCLI. With --endpoint
// http://host:port that client sends the header "Host: http://host:port", which
// net/http refuses before any handler runs. Within a header block, the listener
// overwrites the scheme with as many spaces; nothing else changes, and bodies
// are left alone. The server tries the host with the scheme when it verifies
// the signature, since that is what the client signed.
func QuirkListener(l net.Listener) net.Listener { return quirkListener{l} }

type quirkListener struct{ net.Listener }

// Accept waits for a connection and wraps it.
func (l quirkListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &quirkConn{Conn: c}, nil
}

// quirkConn repairs what is read from a connection.
type quirkConn struct {
	net.Conn
	scan quirkScanner
	raw  []byte // read buffer
	out  []byte // repaired and not yet handed on
	err  error  // final, due once out is empty
}

// Read reads repaired bytes.
func (c *quirkConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.out) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if n := c.scan.untouched(len(p)); n > 0 {
			n, err := c.Conn.Read(p[:n])
			c.scan.skip(n)
			return n, err
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// fill reads once from the connection. It returns an error only if it is of
// passing nature and there is nothing to hand on.
func (c *quirkConn) fill() error {
	if c.raw == nil {
		c.raw = make([]byte, 4096)
	}
	n, err := c.Conn.Read(c.raw)
	c.out = c.scan.repair(c.out[:0], c.raw[:n])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if len(c.out) > 0 {
			return nil
		}
		return err
	}
	if err != nil {
		c.out = c.scan.release(c.out)
		c.err = err
	}
	return nil
}

// CloseWrite lets net/http end its half of a connection first, so that an
// answer is not lost while the client is still sending.
func (c *quirkConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
