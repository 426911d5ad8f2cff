"""Compiled execution: a validated GraphQL query becomes Python functions that build its response.

What comes out is what graphql-core would answer, byte for byte; whatever the compiled code is not
sure of is refused when the plan is made (``Compiler.compile`` returns None) or given up when it
runs (``Plan.execute`` raises ``Bail``), and graphql-core then runs the operation.
"""

from server.graphql.compiled.compiler import Compiler
from server.graphql.compiled.errors import Bail, NotCompilable
from server.graphql.compiled.fields import FOLLOWS
from server.graphql.compiled.plan import Plan
from server.graphql.compiled.said import Said

__all__ = ["FOLLOWS", "Bail", "Compiler", "NotCompilable", "Plan", "Said"]
