package integration

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-consent/caddy-consent/integration/lab"
)

// load runs a configuration in this process, in place of the one that runs, and returns once the old one takes no
// connection any more and no client of this process keeps one to it: Caddy ends its old servers in the background, and
// what waits in their listeners or idles is reset.
func load(config []byte) error {
	if err := caddy.Load(config, true); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); listensTwice() && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
	}
	http.DefaultClient.CloseIdleConnections()
	return nil
}

// listensTwice reports whether this process has two sockets that listen on one address (SO_REUSEPORT), as during a reload.
// Where the system does not tell (proc(5)) it reports false.
func listensTwice() bool {
	own := map[string]bool{} // inodes
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.HasPrefix(name, "socket:[") {
			own[strings.Trim(name, "socket:[]")] = true
		}
	}
	seen := map[string]bool{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			const local, state, inode, listening = 1, 3, 9, "0A"
			f := strings.Fields(line)
			if len(f) <= inode || f[state] != listening || !own[f[inode]] {
				continue
			}
			if seen[f[local]] {
				return true
			}
			seen[f[local]] = true
		}
	}
	return false
}

// TestListensTwice: a reload is over when the old socket is closed, not when the new one is there.
func TestListensTwice(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only proc(5) tells")
	}
	const reusePort = 15 // SO_REUSEPORT of socket(7)
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		_ = c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, reusePort, 1) })
		return err
	}}
	port := ":" + strconv.Itoa(lab.FreePort(t))
	listen := func() net.Listener {
		l, err := config.Listen(context.Background(), "tcp", port)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := listen()
	defer func() { _ = before.Close() }()
	if listensTwice() {
		t.Error("one socket counts as two")
	}
	if after := listen(); !listensTwice() {
		t.Error("two sockets count as one")
	} else {
		_ = after.Close()
	}
	if listensTwice() {
		t.Error("a closed socket counts")
	}
}
