"""Who the caller is: security schemes, tokens and logins, for any API and above the guarded transport.

`schemes` says what an operation wants, `entries` what the caller gave, `session.Auth` brings the two
together, and `sending` adds the outcome to requests. Each way to a token has a file of its own.
"""
