package lab

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

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
	port := ":" + strconv.Itoa(FreePort(t))
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
