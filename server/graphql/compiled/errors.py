"""The two ways of saying: let graphql-core do it."""


class NotCompilable(Exception):
    """An operation needs something that compiled code does not do; decided before anything runs."""


class Bail(Exception):
    """Compiled code met something it does not answer for; the cause is chained.

    Run the operation through graphql-core: it has the answer, or the exact errors.
    """


class Anomaly(Exception):
    """A value is not what its GraphQL type promises; becomes a ``Bail``."""
