// Package problem gathers all that is wrong with a configuration, each once and with its file and line, so that it can be mended
// at once.
package problem

import (
	"errors"
	"fmt"
	"slices"
)

// Join adds to the errors that were met first the other problems, so that all can be mended at once.
func Join(first error, problems []error) error {
	errs := Each(first)
	for _, p := range problems {
		if !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == p.Error() }) {
			errs = append(errs, p)
		}
	}
	return errors.Join(errs...)
}

// Each returns the errors that were joined into one.
func Each(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, Each(e)...)
	}
	return list
}

// At names the place, FILE:LINE by what is named there, where what an error is about is named, if it is known.
func At(places map[string]string, what string, err error) error {
	if at := places[what]; at != "" && err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return err
}
