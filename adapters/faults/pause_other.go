//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

func (s *stage) pause(context.Context, time.Duration) error { return errors.ErrUnsupported }
