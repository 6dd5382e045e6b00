"""Syslog (RFC 5424) over TLS (RFC 5425) to a security centre."""
