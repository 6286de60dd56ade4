package ask

import "time"

// The circuit opens after so many failures in a row, for so long; then one question tries.
const (
	maxFailures = 5
	openFor     = 5 * time.Second
)

// circuit keeps requests from waiting for a service that does not answer. Its owner's lock guards it.
type circuit struct {
	failures int
	until    time.Time // no question before
}

// open reports whether the service is taken to be down.
func (c *circuit) open() bool { return c.failures >= maxFailures }

// allow reports whether a question may be asked. While the circuit is open, that is one each openFor.
func (c *circuit) allow(now time.Time) bool {
	if !c.open() {
		return true
	}
	if now.Before(c.until) && c.until.Sub(now) <= 2*openFor { // a clock that was set back must not keep it open
		return false
	}
	c.until = now.Add(openFor)
	return true
}

// note takes the outcome of a question and reports whether the service went down or came back by it.
func (c *circuit) note(ok bool, now time.Time) (changed bool) {
	was := c.open()
	if ok {
		c.failures = 0
		return was
	}
	c.failures = min(c.failures+1, maxFailures)
	c.until = now.Add(openFor)
	return c.open() != was
}
