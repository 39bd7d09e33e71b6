package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"syscall"

	"jstsync/diff"
)

// remedyOf returns what an error says of its remedy.
func remedyOf(err error) diff.Phrase {
	if e, ok := errors.AsType[*diff.Error](err); ok {
		return diff.Say(e.Remedy)
	}
	return diff.Phrase{}
}

// connecting returns what to do about a connection that was not made, by what
// kept it from being made; setting names the address.
func connecting(err error, setting string) diff.Phrase {
	var timeout net.Error
	_, name := errors.AsType[*net.DNSError](err)
	switch {
	case distrusted(err):
		return remedyOf(err)
	case name:
		return diff.Say("correct the host name in %s, or see to this machine's name server (DNS)", setting)
	case errors.Is(err, syscall.ECONNREFUSED):
		return diff.Say("nothing listens at that address: correct host and port in %s, or start what should answer there", setting)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return diff.Say("nothing came back: correct host and port in %s, and see to firewalls and security groups on the way", setting)
	default:
		return remedyOf(err)
	}
}

// distrusted reports whether TLS is the reason.
func distrusted(err error) bool {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return unverified || host || authority || record
}
