"""TLS settings that show a client certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from toolhaft.errors import ConfigError
from toolhaft.http.message import ClientCertificate
from toolhaft.secrets import SecretStore
from toolhaft.types import SecretRef

_LARGEST = 1_000_000
"""Bytes of a certificate or key file."""


def with_certificate(
    shared: ssl.SSLContext, certificate: ClientCertificate, secrets: SecretStore
) -> ssl.SSLContext:
    """Return settings that trust whom the shared ones trust, and show a certificate.

    The shared settings stay as they are: requests without the certificate use them.

    Raises:
        ConfigError: A file is missing, is no PEM file, or the passphrase does not open the key.
    """
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    own.check_hostname = shared.check_hostname
    own.verify_mode = shared.verify_mode
    own.verify_flags = shared.verify_flags
    own.options = shared.options
    own.minimum_version, own.maximum_version = shared.minimum_version, shared.maximum_version
    own.set_alpn_protocols(["http/1.1"])
    for trusted in shared.get_ca_certs(binary_form=True):
        own.load_verify_locations(cadata=trusted)
    chain = _file(certificate.certificate, "certificate", secrets)
    key = _file(certificate.key, "private key", secrets) if certificate.key else chain
    passphrase = secrets.resolve(certificate.passphrase) if certificate.passphrase else ""
    try:
        # Without a passphrase an encrypted key would make OpenSSL ask on the terminal.
        own.load_cert_chain(chain, key, password=lambda: passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or "it cannot be opened"
        raise ConfigError(
            f"the client certificate cannot be used: {reason}",
            where=str(chain),
            hint="It must be a PEM file, with its private key in it or in the file named with .key",
        ) from None
    return own


def _file(named: str | SecretRef, what: str, secrets: SecretStore) -> Path:
    path = Path(secrets.text(named)).expanduser()
    try:
        size = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError):
        size = -1
    if size < 0:
        raise ConfigError(f"there is no such file with a {what}", where=str(path))
    if size > _LARGEST:
        raise ConfigError(f"larger than {_LARGEST} bytes: no {what}", where=str(path))
    return path
