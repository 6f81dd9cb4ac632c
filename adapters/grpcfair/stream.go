package grpcfair

import (
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// A clientStream is what the caller of a stream has. If it is dropped, the stream
// is lost; it is not while one of its methods runs. (Context and Trailer do not
// block.)
type clientStream struct {
	grpc.ClientStream
}

func (s *clientStream) Header() (metadata.MD, error) {
	defer runtime.KeepAlive(s)
	return s.ClientStream.Header()
}

func (s *clientStream) SendMsg(m any) error {
	defer runtime.KeepAlive(s)
	return s.ClientStream.SendMsg(m)
}

func (s *clientStream) RecvMsg(m any) error {
	defer runtime.KeepAlive(s)
	return s.ClientStream.RecvMsg(m)
}

func (s *clientStream) CloseSend() error {
	defer runtime.KeepAlive(s)
	return s.ClientStream.CloseSend()
}
