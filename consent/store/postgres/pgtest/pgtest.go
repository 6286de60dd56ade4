//go:build unix

// Package pgtest runs a private PostgreSQL server in a temporary folder, for tests.
package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// ErrAbsent says that there is no PostgreSQL on this machine.
var ErrAbsent = errors.New("no PostgreSQL server found: install it (Debian: apt-get install postgresql)")

// Server is a private server. It listens on a socket in its own folder and on no network.
type Server struct {
	dir, bin string
	cred     *syscall.Credential // of user postgres, who runs it when the test runs as root
}

// Start makes a cluster and starts it. The error wraps [ErrAbsent] if it is not installed.
func Start() (*Server, error) {
	bin, err := findBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := s.init(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := s.Restart(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// findBin returns the folder of initdb and pg_ctl, of the newest version there is.
func findBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if p, err := exec.LookPath("initdb"); err == nil {
		found = append(found, p)
	}
	for _, initdb := range found {
		if _, err := os.Stat(filepath.Join(filepath.Dir(initdb), "pg_ctl")); err == nil {
			return filepath.Dir(initdb), nil
		}
	}
	return "", ErrAbsent
}

func version(initdb string) int {
	v, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return v
}

func (s *Server) init() error {
	if os.Geteuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("%w: and there is no user postgres to run it: %w", ErrAbsent, err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			return err
		}
	}
	return s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	log := filepath.Join(s.dir, "command.log")
	f, err := os.Create(log) // not a pipe: the server would hold it open
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Run(); err != nil {
		out, _ := os.ReadFile(log)
		server, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
		return fmt.Errorf("%s: %w\n%s%s", name, err, out, server)
	}
	return nil
}

// DSN returns the connection string of the server's database.
func (s *Server) DSN() string {
	return "host=" + s.dir + " port=5432 user=postgres dbname=postgres sslmode=disable"
}

// Restart starts the server after Stop, and waits until it answers.
func (s *Server) Restart() error {
	return s.run("pg_ctl", "-D", s.data(), "-l", filepath.Join(s.dir, "server.log"), "-w", "-t", "60",
		"-o", "-c listen_addresses='' -c unix_socket_directories="+s.dir+" -c max_connections=200", "start")
}

// Stop stops the server in one of the modes smart, fast and immediate; the last is a crash.
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "-D", s.data(), "-m", mode, "-w", "-t", "60", "stop")
}

// Close stops the server and removes its folder.
func (s *Server) Close() error {
	err := s.Stop("immediate")
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Need ends the test if err is not nil: as skipped if PostgreSQL is absent, unless CI=true.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrAbsent) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}
