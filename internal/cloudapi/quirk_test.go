package cloudapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// chop reads a connection that delivers its bytes in pieces of a given size.
type chop struct {
	net.Conn
	from io.Reader
	size int
}

func (c *chop) Read(p []byte) (int, error) { return c.from.Read(p[:min(len(p), c.size)]) }

// repaired is what a server sees of a client's bytes.
func repaired(t testing.TB, in []byte, pieces, reads int) []byte {
	t.Helper()
	c := &quirkConn{Conn: &chop{from: bytes.NewReader(in), size: pieces}}
	var out []byte
	buffer := make([]byte, reads)
	for {
		n, err := c.Read(buffer)
		out = append(out, buffer[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
	}
}

func TestQuirkStreams(t *testing.T) {
	const (
		bad  = "Host: http://x:80\r\n"
		good = "Host:        x:80\r\n"
	)
	for name, c := range map[string]struct{ in, want string }{
		"proper":          {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		"quirk":           {"GET / HTTP/1.1\r\n" + bad + "\r\n", "GET / HTTP/1.1\r\n" + good + "\r\n"},
		"https":           {"GET / HTTP/1.1\r\nhOST:https://x\r\n\r\n", "GET / HTTP/1.1\r\nhOST:        x\r\n\r\n"},
		"bare line feeds": {"GET / HTTP/1.1\nHost: http://x\n\n", "GET / HTTP/1.1\nHost:        x\n\n"},
		"tab":             {"GET / HTTP/1.1\r\nHost:\t HTTP://x\r\n\r\n", "GET / HTTP/1.1\r\nHost:\t        x\r\n\r\n"},
		"request line":    {"Host: http://x\r\n\r\n", ""},
		"other header":    {"GET / HTTP/1.1\r\nX-Host: http://x\r\nHosts: http://x\r\nHost: x http://\r\n\r\n", ""},
		"body": {"POST / HTTP/1.1\r\nContent-Length: 20\r\n" + bad + "\r\n" + "\r\nHost: http://x\r\n\r\n" + "GET / HTTP/1.1\r\n" + bad + "\r\n",
			"POST / HTTP/1.1\r\nContent-Length: 20\r\n" + good + "\r\n" + "\r\nHost: http://x\r\n\r\n" + "GET / HTTP/1.1\r\n" + good + "\r\n"},
		"chunks": {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + bad + "\r\n12;a=b\r\n\n\n" + bad[:16] + "\r\n3\r\nabc\r\n0\r\n" + bad + "\r\nGET / HTTP/1.1\r\n" + bad + "\r\n",
			"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + good + "\r\n12;a=b\r\n\n\n" + bad[:16] + "\r\n3\r\nabc\r\n0\r\n" + bad + "\r\nGET / HTTP/1.1\r\n" + good + "\r\n"},
		"blank lines between": {"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n",
			"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx\r\n\r\nGET / HTTP/1.1\r\n" + good + "\r\n"},
		"no body with a GET":    {"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\n" + good + "\r\n"},
		"lengths at odds":       {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"length not a number":   {"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"other encoding":        {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"chunk not a number":    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"chunk without its end": {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"upgrade":               {"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"other protocol":        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n" + bad + "\r\n", ""},
		"cut off":               {"GET / HTTP/1.1\r\nHost: http:/", ""},
		"long white space":      {"GET / HTTP/1.1\r\nHost:" + strings.Repeat(" ", 2*maxLine) + "http://x\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.in
			}
			for _, pieces := range []int{1, 2, 3, 7, 4096} {
				for _, reads := range []int{1, 5, 4096} {
					if got := string(repaired(t, []byte(c.in), pieces, reads)); got != want {
						t.Fatalf("in pieces of %d, read by %d:\n%q\nwant\n%q", pieces, reads, got, want)
					}
				}
			}
		})
	}
}

// A real server behind the listener serves several TCCLI-like requests on one
// connection, with bodies of both kinds.
func TestQuirkListenerServes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: testServer()}
	done := make(chan error, 1)
	go func() { done <- server.Serve(QuirkListener(listener)) }()
	t.Cleanup(func() { server.Close(); <-done })

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for i, host := range []string{"http://" + listener.Addr().String(), listener.Addr().String(), "http://" + listener.Addr().String()} {
		r := testCall{host: host, body: fmt.Sprintf(`{"Text":"Host: %d"}`, i)}.request()
		r.Close = false
		if i == 2 {
			r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
			r.Body = io.NopCloser(iotest.OneByteReader(r.Body))
		}
		var wire bytes.Buffer
		if err := r.Write(&wire); err != nil {
			t.Fatal(err)
		}
		// http.Request.Write cleans the host, so the quirk is put in by hand.
		for piece := range strings.SplitAfterSeq(hostLine(wire.String(), host), "t") {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
		}
		result, err := http.ReadResponse(reader, r)
		if err != nil {
			t.Fatal(err)
		}
		if a := readAnswer(t, result); a.Response["Text"] != fmt.Sprintf("Host: %d", i) {
			t.Errorf("request %d: %s", i, a.Raw)
		}
	}
}

// hostLine replaces the Host line of a request.
func hostLine(text, host string) string {
	before, rest, _ := strings.Cut(text, "Host: ")
	_, after, _ := strings.Cut(rest, "\r\n")
	return before + "Host: " + host + "\r\n" + after
}

// A deadline that passes between two reads loses nothing.
func TestQuirkSurvivesDeadlines(t *testing.T) {
	client, served := net.Pipe()
	defer client.Close()
	c := &quirkConn{Conn: served}
	defer c.Close()
	go io.WriteString(client, "GET / HTTP/1.1\r\nHost: htt")
	buffer := make([]byte, 64)
	n, err := c.Read(buffer)
	if err != nil || string(buffer[:n]) != "GET / HTTP/1.1\r\n" {
		t.Fatalf("read %q, %v", buffer[:n], err)
	}
	c.SetReadDeadline(time.Unix(1, 0))
	if _, err := c.Read(buffer); err == nil {
		t.Fatal("no error after the deadline")
	}
	c.SetReadDeadline(time.Time{})
	go io.WriteString(client, "p://x\r\n")
	if n, err = c.Read(buffer); err != nil || string(buffer[:n]) != "Host:        x\r\n" {
		t.Errorf("read %q, %v", buffer[:n], err)
	}
}

func TestEmptyReadDoesNotBlock(t *testing.T) {
	client, served := net.Pipe()
	defer client.Close()
	defer served.Close()
	if n, err := (&quirkConn{Conn: served}).Read(nil); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
