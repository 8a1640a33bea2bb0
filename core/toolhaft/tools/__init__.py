"""Tools, catalogs of them, and how a call is checked and made."""
