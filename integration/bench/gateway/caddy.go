package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// caddy is a running Caddy with two sites in front of the same upstream.
type caddy struct {
	cmd            *exec.Cmd
	folder         string
	bare, encoding string // the site's origin, without and with encode
}

// startCaddy starts one with a directive in both sites.
func startCaddy(upstream, directive string) (*caddy, error) {
	folder, err := os.MkdirTemp("", "bench-gateway-")
	if err != nil {
		return nil, err
	}
	a, b := freeAddress(), freeAddress()
	config := fmt.Sprintf("{\n\tadmin off\n\tauto_https off\n\tstorage file_system %s\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n"+
		"http://%s {\n\t%s\n\treverse_proxy %s\n}\nhttp://%s {\n\tencode gzip\n\t%s\n\treverse_proxy %s\n}\n",
		folder, a, directive, upstream, b, directive, upstream)
	file := filepath.Join(folder, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	c := &caddy{exec.Command(*binary, "run", "--config", file, "--adapter", "caddyfile"), folder, "http://" + a, "http://" + b}
	c.cmd.Stderr = os.Stderr
	c.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if conn, err := net.Dial("tcp", b); err == nil {
			_ = conn.Close()
			return c, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.stop()
	return nil, fmt.Errorf("%s does not answer", *binary)
}

func (c *caddy) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.cmd.Wait()
	_ = os.RemoveAll(c.folder)
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// ticks is how many of the clock ticks in /proc are a second: USER_HZ, 100 on every architecture that Go knows.
const ticks = 100

// spent returns the CPU time that the process has used so far, in seconds: utime and stime of proc_pid_stat(5). It is 0
// where there is no /proc.
func (c *caddy) spent() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the first is the third
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(string(fields[11]), 64)
	system, _ := strconv.ParseFloat(string(fields[12]), 64)
	return (user + system) / ticks
}
