"""The GraphQL side of the service: types made from the model, limits, execution and HTTP."""
