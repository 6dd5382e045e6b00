"""Failures of the service that a person can do something about; commands print them in one line."""


class ServiceError(Exception):
    """Base of every error the service raises on purpose: says what is wrong, where, and what to do."""


class StoreError(ServiceError):
    """The store cannot be opened or is of another version."""


class BusError(ServiceError):
    """The bus cannot be opened, e.g. because its address is taken."""
